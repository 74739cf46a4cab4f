/* A model server's stand-in for benchmarks: answers chat completions, whole or as a stream of events, from one thread.
 *
 *   cc -O2 -o build/stub stub.c
 *   build/stub [--port 0] [--body 1101] [--answer-ms 0] [--tokens 64] [--token-ms 20] [--ttft-ms 0] [--status 200] [--hang]
 *
 * Prints {"port": N} when it listens, and what it served as JSON when it gets SIGTERM or SIGINT. A request whose body
 * holds "stream":true (with or without a space) gets `tokens` events, one each `token-ms`; any other POST gets `body`
 * bytes of JSON after `answer-ms`; a GET gets a list of models. --hang: read requests, answer none.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

enum { INPUT = 64 << 10, OUTPUT = 32 << 10, FDS = 65536 };

typedef struct {
    int fd, used, place;      /* place: in the heap, from 1; 0: not there */
    int token;                /* of the stream under way; -1: none */
    bool wants_answer;        /* a whole answer is due at `due` */
    int64_t due;              /* nanoseconds */
    int skip;                 /* bytes of a body that did not fit the input, still to come */
    int waiting, sent;        /* output that the socket did not take yet */
    char in[INPUT], out[OUTPUT];
} Conn;

static int port, body_bytes = 1101, answer_ms, tokens = 64, token_ms = 20, ttft_ms, status = 200, hang;
static Conn *conns[FDS], *heap[FDS + 1];
static int heap_size, poller, timer;
static char *whole, first_event[1024], middle_event[512], last_event[1024];
static int whole_size, first_size, middle_size, last_size;
static uint64_t answered, streamed, events, shadows, refused, accepted;

static int64_t now_ns(void) {
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return at.tv_sec * 1000000000LL + at.tv_nsec;
}

static void place_at(int place, Conn *conn) { heap[place] = conn, conn->place = place; }

static void sift(int place, Conn *conn) {
    for (; place > 1 && heap[place / 2]->due > conn->due; place /= 2) place_at(place, heap[place / 2]);
    for (int child; (child = place * 2) <= heap_size; place = child) {
        if (child < heap_size && heap[child + 1]->due < heap[child]->due) child++;
        if (heap[child]->due >= conn->due) break;
        place_at(place, heap[child]);
    }
    place_at(place, conn);
}

static void wake_at(Conn *conn, int64_t due) {
    conn->due = due;
    sift(conn->place ? conn->place : ++heap_size, conn);
}

static void forget(Conn *conn) {
    int place = conn->place;
    if (!place) return;
    Conn *last = heap[heap_size--];
    conn->place = 0;
    if (last != conn) sift(place, last);
}

static void drop(Conn *conn) {
    forget(conn);
    close(conn->fd);
    conns[conn->fd] = NULL;
    free(conn);
}

static bool flush(Conn *conn) {
    while (conn->sent < conn->waiting) {
        ssize_t took = send(conn->fd, conn->out + conn->sent, conn->waiting - conn->sent, MSG_NOSIGNAL);
        if (took < 0) {
            if (errno != EAGAIN) return false;
            struct epoll_event want = {.events = EPOLLIN | EPOLLOUT, .data.fd = conn->fd};
            epoll_ctl(poller, EPOLL_CTL_MOD, conn->fd, &want);
            return true;
        }
        conn->sent += took;
    }
    conn->sent = conn->waiting = 0;
    return true;
}

static bool say(Conn *conn, const char *data, int size) {
    bool quiet = conn->waiting == 0;
    if (size > OUTPUT - conn->waiting) return false; /* the reader is far behind */
    memcpy(conn->out + conn->waiting, data, size);
    conn->waiting += size;
    return !quiet || flush(conn);
}

static bool speak(Conn *conn) { /* what is due now */
    if (conn->wants_answer) {
        conn->wants_answer = false;
        forget(conn);
        answered++;
        return say(conn, whole, whole_size);
    }
    int token = conn->token++;
    events++;
    if (conn->token >= tokens) {
        conn->token = -1;
        forget(conn);
        streamed++;
        return (token || say(conn, first_event, first_size)) && say(conn, last_event, last_size);
    }
    wake_at(conn, conn->due + token_ms * 1000000LL);
    return token ? say(conn, middle_event, middle_size) : say(conn, first_event, first_size);
}

static bool answer(Conn *conn, const char *head, int size, const char *body, int length) {
    if (memmem(head, size, "x-gatekeeper-shadow", 19)) shadows++;
    if (hang) return true;
    if (!strncmp(head, "GET ", 4)) {
        static const char models[] =
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 75\r\n\r\n"
            "{\"object\":\"list\",\"data\":[{\"id\":\"m\",\"object\":\"model\",\"owned_by\":\"stub\"}]}   ";
        return say(conn, models, sizeof models - 1);
    }
    bool stream = memmem(body, length, "\"stream\":true", 13) || memmem(body, length, "\"stream\": true", 14);
    conn->due = now_ns() + (stream ? ttft_ms : answer_ms) * 1000000LL;
    conn->token = stream ? 0 : -1;
    conn->wants_answer = !stream;
    if (stream ? ttft_ms : answer_ms) wake_at(conn, conn->due);
    else return speak(conn);
    return true;
}

static bool take(Conn *conn) { /* answer every whole request of the input */
    int start = 0;
    while (conn->token < 0 && !conn->wants_answer) {
        char *head = conn->in + start, *end = memmem(head, conn->used - start, "\r\n\r\n", 4);
        if (!end) break;
        int size = end + 4 - head, length = 0;
        for (char *line = head; line < end; line = (char *)memmem(line, end + 2 - line, "\r\n", 2) + 2) {
            if (!strncasecmp(line, "content-length:", 15)) length = atoi(line + 15);
            if (!strncasecmp(line, "transfer-encoding:", 18)) return refused++, false;
        }
        int here = conn->used - start - size;
        if (length > here && size + length < INPUT) break;
        int skipped = length > here ? length - here : 0;
        start += size + length - skipped;
        conn->skip = skipped;
        if (!answer(conn, head, size, end + 4, length - skipped)) return false;
        if (hang) break;
    }
    memmove(conn->in, conn->in + start, conn->used - start);
    conn->used -= start;
    return true;
}

static bool receive(Conn *conn) {
    ssize_t got = recv(conn->fd, conn->in + conn->used, INPUT - conn->used, 0);
    if (got <= 0) return got < 0 && errno == EAGAIN;
    int skipped = got < conn->skip ? got : conn->skip;
    conn->skip -= skipped;
    memmove(conn->in + conn->used, conn->in + conn->used + skipped, got - skipped);
    conn->used += got - skipped;
    return conn->used < INPUT && take(conn);
}

static int chunk(char *to, const char *text) { return sprintf(to, "%zx\r\n%s\r\n", strlen(text), text); }

static void prepare(void) {
    static const char shape[] = "data: {\"id\":\"chatcmpl-0123456789abcdef\",\"object\":\"chat.completion.chunk\",\"created\":1700000000,"
                                "\"model\":\"m\",\"choices\":[%s]%s}\n\n";
    static const char usage[] = "\"usage\":{\"prompt_tokens\":200,\"total_tokens\":%d,\"completion_tokens\":%d}";
    char text[1024], used[128], tail[160];
    snprintf(used, sizeof used, usage, 200 + tokens, tokens);
    snprintf(tail, sizeof tail, ",%s", used);
    first_size = sprintf(first_event, "HTTP/1.1 %d OK\r\nserver: stub\r\ncontent-type: text/event-stream; charset=utf-8\r\ntransfer-encoding: chunked\r\n\r\n", status);
    sprintf(text, shape, "{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"The\"},\"logprobs\":null,\"finish_reason\":null}", "");
    first_size += chunk(first_event + first_size, text);
    sprintf(text, shape, "{\"index\":0,\"delta\":{\"content\":\" word\"},\"logprobs\":null,\"finish_reason\":null}", "");
    middle_size = chunk(middle_event, text);
    last_size = tokens > 1 ? chunk(last_event, text) : 0;
    sprintf(text, shape, "{\"index\":0,\"delta\":{\"content\":\"\"},\"logprobs\":null,\"finish_reason\":\"stop\"}", "");
    last_size += chunk(last_event + last_size, text);
    sprintf(text, shape, "", tail);
    last_size += chunk(last_event + last_size, text);
    last_size += sprintf(last_event + last_size, "e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n");

    const char *before = "{\"id\":\"chatcmpl-0123456789abcdef\",\"object\":\"chat.completion\",\"created\":1700000000,\"model\":\"m\",\"choices\":"
                         "[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"";
    snprintf(text, sizeof text, "\"},\"logprobs\":null,\"finish_reason\":\"stop\"}],%s}", used);
    int filler = body_bytes - (int)strlen(before) - (int)strlen(text);
    if (filler < 0) fprintf(stderr, "--body %d: at least %d\n", body_bytes, body_bytes - filler), exit(2);
    whole = malloc(body_bytes + 512);
    whole_size = sprintf(whole, "HTTP/1.1 %d OK\r\ndate: Sat, 01 Jan 2000 00:00:00 GMT\r\nserver: stub\r\ncontent-length: %d\r\n"
                                "content-type: application/json\r\n\r\n%s", status, body_bytes, before);
    for (int i = 0; i < filler; i++) whole[whole_size++] = "one more word "[i % 14];
    whole_size += sprintf(whole + whole_size, "%s", text);
}

static void options(int count, char **words) {
    static const struct option known[] = {
        {"port", 1, 0, 'p'},    {"body", 1, 0, 'b'},   {"answer-ms", 1, 0, 'a'}, {"tokens", 1, 0, 't'},
        {"token-ms", 1, 0, 'm'}, {"ttft-ms", 1, 0, 'f'}, {"status", 1, 0, 's'},    {"hang", 0, 0, 'h'}, {0}};
    for (int what; (what = getopt_long(count, words, "", known, NULL)) != -1;) {
        if (what == 'p') port = atoi(optarg);
        else if (what == 'b') body_bytes = atoi(optarg);
        else if (what == 'a') answer_ms = atoi(optarg);
        else if (what == 't') tokens = atoi(optarg);
        else if (what == 'm') token_ms = atoi(optarg);
        else if (what == 'f') ttft_ms = atoi(optarg);
        else if (what == 's') status = atoi(optarg);
        else if (what == 'h') hang = 1;
        else exit(2);
    }
}

static void report(void) {
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    double cpu_us = (used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1e6 + used.ru_utime.tv_usec + used.ru_stime.tv_usec;
    printf("{\"answered\": %lu, \"streamed\": %lu, \"events\": %lu, \"shadows\": %lu, \"refused\": %lu, \"accepted\": %lu, \"cpu_us\": %.0f}\n",
           answered, streamed, events, shadows, refused, accepted, cpu_us);
    exit(0);
}

static void arm_timer(void) {
    static int64_t armed;
    int64_t due = heap_size ? heap[1]->due : 0;
    if (due == armed) return;
    armed = due;
    struct itimerspec at = {.it_value = {due / 1000000000, due % 1000000000}};
    timerfd_settime(timer, TFD_TIMER_ABSTIME, &at, NULL);
}

int main(int count, char **words) {
    options(count, words);
    prepare();
    sigset_t ends;
    sigemptyset(&ends), sigaddset(&ends, SIGTERM), sigaddset(&ends, SIGINT);
    sigprocmask(SIG_BLOCK, &ends, NULL);
    int signals = signalfd(-1, &ends, 0), listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), yes = 1;
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(listener, (void *)&at, size) || listen(listener, 4096)) perror("stub: listen"), exit(1);
    getsockname(listener, (void *)&at, &size);
    printf("{\"port\": %d}\n", ntohs(at.sin_port)), fflush(stdout);
    poller = epoll_create1(0), timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
    for (int *fd = (int[]){signals, listener, timer, -1}; *fd >= 0; fd++)
        epoll_ctl(poller, EPOLL_CTL_ADD, *fd, &(struct epoll_event){.events = EPOLLIN, .data.fd = *fd});
    for (struct epoll_event ready[256];;) {
        arm_timer();
        int found = epoll_wait(poller, ready, 256, -1);
        for (int i = 0; i < found; i++) {
            int fd = ready[i].data.fd;
            if (fd == signals) report();
            if (fd == timer) {
                uint64_t ticks;
                if (read(timer, &ticks, sizeof ticks) < 0) continue;
            } else if (fd == listener) {
                for (int got; (got = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0;) {
                    if (got >= FDS || !(conns[got] = calloc(1, sizeof(Conn)))) { close(got); continue; }
                    setsockopt(got, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
                    conns[got]->fd = got, conns[got]->token = -1, accepted++;
                    epoll_ctl(poller, EPOLL_CTL_ADD, got, &(struct epoll_event){.events = EPOLLIN, .data.fd = got});
                }
            } else if (conns[fd]) {
                Conn *conn = conns[fd];
                bool fine = true;
                if (ready[i].events & EPOLLOUT) {
                    epoll_ctl(poller, EPOLL_CTL_MOD, fd, &(struct epoll_event){.events = EPOLLIN, .data.fd = fd});
                    fine = flush(conn);
                }
                if (fine && ready[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) fine = receive(conn);
                if (!fine) drop(conn);
            }
        }
        for (int64_t now = now_ns(); heap_size && heap[1]->due <= now;) {
            Conn *conn = heap[1];
            if (!speak(conn) || (conn->token < 0 && !conn->wants_answer && !take(conn))) drop(conn);
        }
    }
}
