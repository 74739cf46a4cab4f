/* A load generator for OpenAI-compatible servers: keep-alive connections, one thread, no allocation while it measures.
 *
 *   cc -O2 -o build/load load.c
 *   build/load --port P [--connections 32] [--seconds 5] [--warmup 1] [--rate 0] [--stream] [--body 1074] [--users 1000]
 *              [--path /v1/chat/completions] [--model m] [--header 'authorization: Bearer x']... [--pid P]... [--host 127.0.0.1]
 *
 * --rate 0: each connection sends its next request when its answer is whole. --rate R: R requests a second whatever
 * the server does; a request that finds no free connection waits, and its time runs from when it was due.
 * --body: bytes of the request's body. --users: the `user` in it counts round that many keys. --pid: adds the CPU time
 * of that process and its descendants over the measured seconds.
 * Prints JSON: times in microseconds (latency: to the last byte; first: to the first byte of body; gap: between two
 * reads of a stream that held events). An answer that is not 200, or a connection that is lost, counts under errors.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BUFFER = 256 << 10, FINE = 6, BUCKETS = 64 << FINE, WORDS = 64 };

typedef struct { uint64_t buckets[BUCKETS], count; double sum; int64_t most; } Histogram;

typedef enum { HEAD, BODY, CHUNK_SIZE, CHUNK, CHUNK_END, UNTIL_CLOSE } State;

typedef struct {
    int fd;
    bool busy, counted;       /* counted: it began in the measured time */
    int64_t began, last;      /* nanoseconds; last: when the last events came, 0: none yet */
    State state;
    int used, status;         /* bytes of a head that is not whole; status of the answer */
    long left;                /* bytes of the body or chunk still to come */
    char tail;                /* the body's last byte, to find the end of an event over two reads */
    bool bodied, closing;
    char head[8192];
} Conn;

static const char *host = "127.0.0.1", *path = "/v1/chat/completions", *model = "m", *lines[WORDS];
static int port, connections = 32, body_bytes = 1074, users = 1000, stream, line_count, pids[WORDS], pid_count, poller, free_count;
static double seconds = 5, warmup = 1, rate;
static Conn *conns, **free_conns;
static char *request;
static int request_size, user_at;
static uint64_t sent, done, errors, not_200, events, bytes, unanswered;
static bool measuring;
static Histogram latency, first, gap;
static struct sockaddr_in server;

static int64_t now_ns(void) {
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return at.tv_sec * 1000000000LL + at.tv_nsec;
}

static void count(Histogram *h, int64_t ns) { /* 64 buckets for each power of two: 1.6 % wide */
    int top = ns < 1 << FINE ? 0 : 63 - __builtin_clzll(ns) - FINE;
    h->buckets[((uint64_t)top << FINE) + (ns >> top)]++;
    h->count++, h->sum += ns;
    if (ns > h->most) h->most = ns;
}

static double quantile_us(const Histogram *h, double q) {
    uint64_t rank = q * h->count, seen = 0;
    for (int i = 0; i < BUCKETS; i++)
        if ((seen += h->buckets[i]) > rank) {
            int top = i >> FINE;
            if (i < 2 << FINE) return i / 1e3;
            top -= 1, i -= top << FINE;
            return (((double)i + .5) * (1LL << top)) / 1e3;
        }
    return h->most / 1e3;
}

static void print(const char *name, const Histogram *h) {
    if (!h->count) { printf("\"%s\": null", name); return; }
    printf("\"%s\": {\"count\": %lu, \"mean\": %.1f, \"p50\": %.1f, \"p90\": %.1f, \"p99\": %.1f, \"p999\": %.1f, \"max\": %.1f}",
           name, h->count, h->sum / h->count / 1e3, quantile_us(h, .5), quantile_us(h, .9), quantile_us(h, .99),
           quantile_us(h, .999), h->most / 1e3);
}

static double cpu_of(int pid) { /* seconds, with every living descendant */
    clockid_t clock;
    struct timespec at;
    double total = 0;
    if (!clock_getcpuclockid(pid, &clock) && !clock_gettime(clock, &at)) total = at.tv_sec + at.tv_nsec / 1e9;
    char name[64], text[4096];
    snprintf(name, sizeof name, "/proc/%d/task", pid);
    DIR *tasks = opendir(name);
    for (struct dirent *task; tasks && (task = readdir(tasks));) {
        char children[128];
        snprintf(children, sizeof children, "/proc/%d/task/%.20s/children", pid, task->d_name);
        FILE *file = task->d_name[0] == '.' ? NULL : fopen(children, "r");
        if (!file) continue;
        text[fread(text, 1, sizeof text - 1, file)] = 0;
        fclose(file);
        for (char *at = text, *end; strtol(at, &end, 10) > 0 && end != at; at = end) total += cpu_of(atoi(at));
    }
    if (tasks) closedir(tasks);
    return total;
}

static double cpu_of_all(void) {
    double total = 0;
    for (int i = 0; i < pid_count; i++) total += cpu_of(pids[i]);
    return total;
}

static void prepare(void) {
    char before[512], *after = "\"}]}";
    int size = snprintf(before, sizeof before, "{\"model\":\"%s\",\"user\":\"user-00000000\",\"stream\":%s,%s\"messages\":[{\"role\":\"user\",\"content\":\"",
                        model, stream ? "true" : "false", stream ? "\"stream_options\":{\"include_usage\":true}," : "");
    int total = body_bytes > size + (int)strlen(after) ? body_bytes : size + (int)strlen(after);
    request = malloc(total + 16384);
    int at = sprintf(request, "POST %s HTTP/1.1\r\nHost: %s:%d\r\nAccept: */*\r\nUser-Agent: load\r\nContent-Type: application/json\r\n", path, host, port);
    for (int i = 0; i < line_count; i++) at += sprintf(request + at, "%s\r\n", lines[i]);
    at += sprintf(request + at, "Content-Length: %d\r\n\r\n", total);
    memcpy(request + at, before, size);
    user_at = at + (strstr(before, "user-") - before) + 5;
    at += size;
    for (int i = 0; i < total - size - (int)strlen(after); i++) request[at++] = "what is a word "[i % 15];
    request_size = at + sprintf(request + at, "%s", after);
}

static void open_conn(Conn *conn) {
    int yes = 1;
    conn->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(conn->fd, (void *)&server, sizeof server)) perror("load: connect"), exit(1);
    setsockopt(conn->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    epoll_ctl(poller, EPOLL_CTL_ADD, conn->fd, &(struct epoll_event){.events = EPOLLIN, .data.ptr = conn});
}

static void begin(Conn *conn, int64_t due) {
    static unsigned next;
    char user[16];
    snprintf(user, sizeof user, "%08u", next++ % users);
    memcpy(request + user_at, user, 8);
    conn->busy = true, conn->counted = measuring, conn->began = due, conn->last = 0;
    conn->state = HEAD, conn->used = 0, conn->bodied = conn->closing = false, conn->tail = 0;
    if (measuring) sent++;
    for (int at = 0; at < request_size;) {
        ssize_t took = send(conn->fd, request + at, request_size - at, MSG_NOSIGNAL);
        if (took <= 0) return; /* the lost connection is seen when it is read */
        at += took;
    }
}

static void end(Conn *conn, bool fine, int64_t now) {
    if (conn->counted && measuring) {
        done++;
        if (!fine) errors++;
        else if (conn->status != 200) not_200++;
        else count(&latency, now - conn->began);
    }
    conn->busy = false;
    if (!fine || conn->closing) close(conn->fd), open_conn(conn);
    if (rate > 0) free_conns[free_count++] = conn;
    else begin(conn, now_ns());
}

static bool read_head(Conn *conn) {
    conn->status = atoi(conn->head + 9);
    conn->state = UNTIL_CLOSE;
    for (char *line = conn->head; (line = strstr(line, "\r\n")) && line[2] != '\r';) {
        line += 2;
        if (!strncasecmp(line, "content-length:", 15)) conn->left = atol(line + 15), conn->state = BODY;
        if (!strncasecmp(line, "transfer-encoding:", 18)) conn->state = CHUNK_SIZE, conn->left = 0;
        if (!strncasecmp(line, "connection: close", 17)) conn->closing = true;
    }
    return conn->state == BODY && conn->left == 0;
}

static int take_body(Conn *conn, const char *data, int size, int64_t now) {
    if (conn->state != UNTIL_CLOSE && size > conn->left) size = conn->left;
    if (!conn->bodied && conn->counted && measuring) count(&first, now - conn->began);
    conn->bodied = true, conn->left -= size;
    int found = 0;
    if (stream) {
        char before = conn->tail;
        for (const char *at = data; (at = memchr(at, '\n', data + size - at)); at++)
            if ((at == data ? before : at[-1]) == '\n') found++;
        conn->tail = data[size - 1];
    }
    if (found) {
        if (measuring && conn->counted) {
            events += found;
            if (conn->last && conn->last != now) count(&gap, now - conn->last);
        }
        conn->last = now;
    }
    return size;
}

static bool take(Conn *conn, const char *data, int size, int64_t now) { /* tells whether the answer is whole */
    while (size > 0) {
        int used = 1;
        if (conn->state == HEAD || conn->state == CHUNK_SIZE) {
            const char *mark = conn->state == HEAD ? "\r\n\r\n" : "\r\n";
            int length = conn->state == HEAD ? 4 : 2;
            if (conn->used == sizeof conn->head - 1) return conn->status = 0, true;
            conn->head[conn->used++] = *data;
            if (conn->used >= length && !memcmp(conn->head + conn->used - length, mark, length)) {
                conn->head[conn->used] = 0, conn->used = 0;
                if (conn->state == HEAD) { if (read_head(conn)) return true; }
                else conn->left = strtol(conn->head, NULL, 16), conn->state = conn->left ? CHUNK : CHUNK_END;
            }
        } else if (conn->state == CHUNK_END) { /* the CRLF after a chunk, or after the last: no trailers are expected */
            if (*data == '\n' && conn->left == 0) return true;
            if (*data == '\n') conn->state = CHUNK_SIZE;
        } else {
            used = take_body(conn, data, size, now);
            if (conn->state != UNTIL_CLOSE && conn->left == 0) {
                if (conn->state == BODY) return true;
                conn->state = CHUNK_END, conn->left = -1;
            }
        }
        data += used, size -= used;
    }
    return false;
}

static void options(int argc, char **argv) {
    static const struct option known[] = {
        {"port", 1, 0, 'p'},  {"host", 1, 0, 'h'},   {"path", 1, 0, 'u'},   {"connections", 1, 0, 'c'}, {"seconds", 1, 0, 's'},
        {"warmup", 1, 0, 'w'}, {"rate", 1, 0, 'r'},   {"body", 1, 0, 'b'},   {"users", 1, 0, 'k'},       {"stream", 0, 0, 'S'},
        {"header", 1, 0, 'H'}, {"model", 1, 0, 'm'}, {"pid", 1, 0, 'P'},    {0}};
    for (int what; (what = getopt_long(argc, argv, "", known, NULL)) != -1;) {
        if (what == 'p') port = atoi(optarg);
        else if (what == 'h') host = optarg;
        else if (what == 'u') path = optarg;
        else if (what == 'c') connections = atoi(optarg);
        else if (what == 's') seconds = atof(optarg);
        else if (what == 'w') warmup = atof(optarg);
        else if (what == 'r') rate = atof(optarg);
        else if (what == 'b') body_bytes = atoi(optarg);
        else if (what == 'k') users = atoi(optarg);
        else if (what == 'S') stream = 1;
        else if (what == 'H' && line_count < WORDS) lines[line_count++] = optarg;
        else if (what == 'm') model = optarg;
        else if (what == 'P' && pid_count < WORDS) pids[pid_count++] = atoi(optarg);
        else exit(2);
    }
}

int main(int argc, char **argv) {
    options(argc, argv);
    prepare();
    server = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port)};
    if (!port || !inet_aton(host, &server.sin_addr)) fprintf(stderr, "load: --port, and --host as an IPv4 address\n"), exit(2);
    poller = epoll_create1(0);
    conns = calloc(connections, sizeof *conns), free_conns = calloc(connections, sizeof *free_conns);
    static char data[BUFFER];
    for (int i = 0; i < connections; i++) open_conn(&conns[i]);
    double cpu = 0;
    int64_t started = now_ns(), measured = started + warmup * 1e9, until = measured + seconds * 1e9, due = started;
    if (warmup <= 0) measuring = true, cpu = cpu_of_all();
    for (int i = connections; i-- > 0;) {
        if (rate > 0) free_conns[free_count++] = &conns[i];
        else begin(&conns[i], now_ns());
    }
    int64_t now, between = rate > 0 ? 1e9 / rate : 0;
    for (struct epoll_event ready[256]; (now = now_ns()) < until;) {
        if (!measuring && now >= measured) measuring = true, cpu = cpu_of_all(), measured = now;
        while (rate > 0 && due <= now && free_count) begin(free_conns[--free_count], due), due += between;
        int64_t wake = rate > 0 && free_count && due < until ? due : until;
        int64_t wait = wake - now < 100000000 ? wake - now : 100000000;
        struct timespec at = {0, wait > 0 ? wait : 0};
        int found = epoll_pwait2(poller, ready, 256, &at, NULL);
        for (int i = 0; i < found; i++) {
            Conn *conn = ready[i].data.ptr;
            ssize_t got = recv(conn->fd, data, sizeof data, MSG_DONTWAIT);
            if (got < 0 && errno == EAGAIN) continue;
            int64_t then = now_ns();
            if (got > 0 && measuring) bytes += got;
            if (got <= 0 && !conn->busy) close(conn->fd), open_conn(conn);
            else if (got <= 0) conn->closing = true, end(conn, conn->state == UNTIL_CLOSE, then);
            else if (conn->busy && take(conn, data, got, then)) end(conn, true, then);
        }
    }
    double took = (now_ns() - measured) / 1e9;
    cpu = pid_count ? (cpu_of_all() - cpu) * 1e6 : 0;
    for (int i = 0; i < connections; i++) unanswered += conns[i].busy && conns[i].counted;
    uint64_t fine = latency.count;
    printf("{\"seconds\": %.3f, \"connections\": %d, \"sent\": %lu, \"done\": %lu, \"errors\": %lu, \"not_200\": %lu, \"unanswered\": %lu, "
           "\"behind\": %.0f, \"requests_per_s\": %.1f, \"events\": %lu, \"events_per_s\": %.1f, \"mb_per_s\": %.2f, ",
           took, connections, sent, done, errors, not_200, unanswered,
           rate > 0 && due < now ? (now - due) / 1e9 * rate : 0., fine / took, events, events / took, bytes / took / 1e6);
    print("latency", &latency), printf(", ");
    print("first", &first), printf(", ");
    print("gap", &gap);
    if (pid_count)
        printf(", \"cpu_us\": %.0f, \"cpu_us_per_request\": %.2f, \"cpu_us_per_event\": %.3f, \"cpu_share\": %.3f", cpu,
               fine ? cpu / fine : 0., events ? cpu / events : 0., cpu / 1e6 / took);
    printf("}\n");
    return errors || not_200 ? 1 : 0;
}
