// Chat by the AI SDK, and print what came: node ai.mjs BASE_URL MODEL ASKED_JSON
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { generateObject, generateText, jsonSchema, streamText, tool } from "ai";

const [baseURL, name, asked] = process.argv.slice(2);
const { plain: question, tool: toolQuestion, order: orderQuestion, tools: given, schema } = JSON.parse(asked);
const provider = createOpenAICompatible({
  name: "gatekeeper",
  baseURL,
  apiKey: "sk-test",
  includeUsage: true,
  supportsStructuredOutputs: true,
});
const common = { model: provider(name), temperature: 0, maxRetries: 0 };
const tools = Object.fromEntries(
  given.map(({ function: one }) => [one.name, tool({ description: one.description, inputSchema: jsonSchema(one.parameters) })]),
);
const called = (calls) => ({ name: calls[0].toolName, arguments: calls[0].input });

const plain = await generateText({ ...common, prompt: question });
const streamed = streamText({ ...common, prompt: question });
let stream = "";
for await (const piece of streamed.textStream) stream += piece;
const toolStream = streamText({ ...common, prompt: toolQuestion, tools });
const found = {
  plain: plain.text,
  finish: plain.finishReason,
  usage: plain.usage.totalTokens,
  stream,
  stream_usage: (await streamed.usage).totalTokens,
  tool: called((await generateText({ ...common, prompt: toolQuestion, tools })).toolCalls),
  tool_stream: called(await toolStream.toolCalls),
  order: (await generateObject({ ...common, prompt: orderQuestion, schema: jsonSchema(schema) })).object,
};
console.log(JSON.stringify(found));
