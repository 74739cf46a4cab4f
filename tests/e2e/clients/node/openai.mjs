// Chat by the openai package, and print what came: node openai.mjs BASE_URL MODEL ASKED_JSON
import OpenAI from "openai";

const [baseURL, model, asked] = process.argv.slice(2);
const { plain: question, tool: toolQuestion, order: orderQuestion, tools, schema } = JSON.parse(asked);
const client = new OpenAI({ baseURL, apiKey: "sk-test", maxRetries: 0 });
const body = (content, more) => ({ model, temperature: 0, user: "u-1", messages: [{ role: "user", content }], ...more });
const create = (content, more) => client.chat.completions.create(body(content, more));
const tool = (message) => ({
  name: message.tool_calls[0].function.name,
  arguments: JSON.parse(message.tool_calls[0].function.arguments),
});

const models = [];
for await (const one of client.models.list()) models.push(one.id);
const plain = await create(question);
let stream = "";
let usage;
for await (const chunk of await create(question, { stream: true, stream_options: { include_usage: true } })) {
  stream += chunk.choices[0]?.delta?.content ?? "";
  usage = chunk.usage ?? usage;
}
const called = await create(toolQuestion, { tools });
const calledStream = await client.chat.completions.stream(body(toolQuestion, { tools })).finalChatCompletion();
const format = { type: "json_schema", json_schema: { name: "order", strict: true, schema } };
const order = await create(orderQuestion, { response_format: format });
const found = {
  models,
  plain: plain.choices[0].message.content,
  finish: plain.choices[0].finish_reason,
  usage: plain.usage.total_tokens,
  stream,
  stream_usage: usage.total_tokens,
  tool: tool(called.choices[0].message),
  tool_stream: tool(calledStream.choices[0].message),
  order: JSON.parse(order.choices[0].message.content),
};
console.log(JSON.stringify(found));
