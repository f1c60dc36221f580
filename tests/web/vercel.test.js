// The Vercel AI SDK, unmodified, against Farebox.

import assert from "node:assert/strict";
import test from "node:test";

import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { APICallError, RetryError, generateText, isStepCount, streamText, tool } from "ai";
import { z } from "zod";

import { base, bases, calm, key, model, order, pixel, watched } from "./stack.js";

test.beforeEach(calm);

const prompt = "Say something about Oslo.";

function connect(options = {}) {
  const { responses, fetch } = watched();
  const settings = { name: "farebox", baseURL: base, apiKey: key, includeUsage: true, fetch };
  return { responses, farebox: createOpenAICompatible({ ...settings, ...options }) };
}

for (const baseURL of bases) {
  test(`text is generated under ${new URL(baseURL).pathname}`, async () => {
    const { farebox } = connect({ baseURL });

    const { text, usage, finishReason } = await generateText({ model: farebox(model), prompt });

    assert.ok(text.length > 0);
    assert.equal(finishReason, "stop");
    assert.equal(usage.totalTokens, usage.inputTokens + usage.outputTokens);
  });
}

test("a stream comes in parts, ends for a reason, and reports its usage", async () => {
  const { farebox } = connect();

  const result = streamText({ model: farebox(model), prompt });
  const parts = [];
  for await (const part of result.textStream) parts.push(part);

  assert.ok(parts.length > 2);
  assert.equal(parts.join(""), await result.text);
  assert.equal(await result.finishReason, "stop");
  assert.ok((await result.usage).outputTokens > 0);
});

test("a tool is called and answered", async () => {
  const { farebox } = connect();
  const asked = [];

  const { text, steps } = await generateText({
    model: farebox(model),
    prompt: "What is the temperature in Oslo?",
    stopWhen: isStepCount(3),
    tools: {
      temperature_in: tool({
        description: "The temperature in a city, in degrees Celsius.",
        inputSchema: z.object({ city: z.string() }),
        execute: async ({ city }) => {
          asked.push(city);
          return -3;
        },
      }),
    },
  });

  assert.deepEqual(asked, ["Oslo"]);
  assert.equal(steps.length, 2);
  assert.ok(text.length > 0);
});

test("a message may show an image", async () => {
  const { farebox } = connect();
  const image = { type: "file", mediaType: "image/png", data: Buffer.from(pixel, "base64") };
  const content = [{ type: "text", text: "What is on this picture?" }, image];

  const { text } = await generateText({
    model: farebox(model),
    messages: [{ role: "user", content }],
  });

  assert.ok(text.length > 0);
});

// ── Refusals: typed, and asked for once ─────────────────────────────────────────────────────────

const refusals = [
  { of: "a wrong key", status: 401, options: { apiKey: "uc_wrong" } },
  {
    of: "a request dearer than it may be",
    status: 402,
    options: { headers: { "X-Max-Cost": "0.000001" } },
  },
  { of: "a model above the tier", status: 403, named: "gpt-4o" },
  { of: "a model that is not there", status: 404, named: "gpt-5o" },
  { of: "a value out of bounds", status: 400, call: { temperature: 3 } },
];

for (const { of, status, options, named = model, call } of refusals) {
  test(`${of} is refused with ${status} and not tried again`, async () => {
    const { farebox, responses } = connect(options);

    const refusal = await generateText({ model: farebox(named), prompt, ...call }).then(
      assert.fail,
      (reason) => reason,
    );

    assert.ok(APICallError.isInstance(refusal), refusal);
    assert.equal(refusal.statusCode, status);
    assert.equal(refusal.isRetryable, false);
    assert.equal(refusal.message, refusal.data.error.message);
    assert.equal(responses.length, 1);
  });
}

// ── A provider's bad days ───────────────────────────────────────────────────────────────────────

test("a busy provider is tried again", async () => {
  const { farebox, responses } = connect();
  await order({ status: 503, retry_after_seconds: 0 });

  const { text } = await generateText({ model: farebox(model), prompt });

  assert.ok(text.length > 0);
  assert.deepEqual(responses.map((each) => each.status), [503, 200]);
});

test("a stream that breaks off is an error, never a short answer", async () => {
  const { farebox } = connect();
  await order({ cut_after_chunks: 2 });
  const errors = [];

  const result = streamText({
    model: farebox(model),
    prompt,
    maxRetries: 0,
    onError: ({ error }) => errors.push(error),
  });
  await result.consumeStream();

  assert.equal(errors.length, 1);
  assert.ok(!RetryError.isInstance(errors[0]));
});
