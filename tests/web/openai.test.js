// OpenAI's own client for Node, unmodified, against Farebox.

import assert from "node:assert/strict";
import test from "node:test";

import OpenAI from "openai";

import { base, bases, calm, key, model, order, pixel, watched } from "./stack.js";

test.beforeEach(calm);

const ask = { model, messages: [{ role: "user", content: "Say something about Oslo." }] };

function connect(options = {}) {
  const { responses, fetch } = watched();
  return { responses, client: new OpenAI({ apiKey: key, baseURL: base, fetch, ...options }) };
}

async function collect(stream) {
  const chunks = [];
  for await (const chunk of stream) chunks.push(chunk);
  return chunks;
}

for (const baseURL of bases) {
  test(`models are listed under ${new URL(baseURL).pathname}`, async () => {
    const { client } = connect({ baseURL });

    const models = await collect(client.models.list());

    const mini = models.find((each) => each.id === model);
    assert.equal(mini.object, "model");
    assert.equal(mini.tier, "professional");
    assert.equal(mini.pricing.input, 0.15);
  });

  test(`a conversation is answered under ${new URL(baseURL).pathname}`, async () => {
    const { client } = connect({ baseURL });

    const answer = await client.chat.completions.create(ask);

    assert.equal(answer.object, "chat.completion");
    assert.ok(answer.choices[0].message.content.length > 0);
  });
}

test("a model is found by a name with a slash", async () => {
  const { client } = connect();

  const found = await client.models.retrieve("openai/gpt-4o-mini");

  assert.equal(found.id, model);
});

test("an answer tells what it cost, in its usage and in its headers", async () => {
  const { client } = connect();

  const { data, response } = await client.chat.completions.create(ask).withResponse();

  const { usage } = data;
  assert.equal(usage.total_tokens, usage.prompt_tokens + usage.completion_tokens);
  assert.ok(usage.cost_nanousd > 0);
  assert.equal(Number(response.headers.get("X-Cost-Incurred")), usage.cost_credits);
  assert.match(data._request_id, /^[0-9A-Z]{26}$/);
});

test("a receipt is kept for an answer", async () => {
  const { client } = connect();
  const answer = await client.chat.completions.create(ask);

  const receipt = await client.get("/generation", { query: { id: answer._request_id } });

  assert.equal(receipt.state, "settled");
  assert.equal(receipt.cost_nanousd, answer.usage.cost_nanousd);
});

test("a stream ends with one usage chunk that has no choices, if it was asked for", async () => {
  const { client } = connect();
  const options = { stream: true, stream_options: { include_usage: true } };

  const chunks = await collect(await client.chat.completions.create({ ...ask, ...options }));

  const last = chunks.pop();
  assert.deepEqual(last.choices, []);
  assert.ok(last.usage.cost_nanousd > 0);
  assert.ok(chunks.length > 2);
  assert.ok(chunks.every((chunk) => chunk.choices.length === 1 && chunk.usage === null));
  assert.equal(chunks.at(-1).choices[0].finish_reason, "stop");
});

test("a stream says nothing of usage if it was not asked for", async () => {
  const { client } = connect();

  const chunks = await collect(await client.chat.completions.create({ ...ask, stream: true }));

  assert.ok(chunks.length > 2);
  assert.ok(chunks.every((chunk) => chunk.choices.length === 1 && !chunk.usage));
});

test("a stream says the same as a whole answer, and costs the same", async () => {
  const { client } = connect();
  const whole = await client.chat.completions.create(ask);

  const stream = client.chat.completions.stream({
    ...ask,
    stream_options: { include_usage: true },
  });
  const streamed = await stream.finalChatCompletion();

  assert.equal(streamed.choices[0].message.content, whole.choices[0].message.content);
  assert.equal(streamed.usage.cost_nanousd, whole.usage.cost_nanousd);
});

const tools = [
  {
    type: "function",
    function: {
      name: "temperature_in",
      description: "The temperature in a city, in degrees Celsius.",
      parameters: {
        type: "object",
        properties: { city: { type: "string" } },
        required: ["city"],
      },
    },
  },
];

for (const stream of [false, true]) {
  test(`a tool is called and answered, ${stream ? "streamed" : "whole"}`, async () => {
    const { client } = connect();
    const asked = [];

    const runner = client.chat.completions.runTools({
      ...ask,
      stream,
      messages: [{ role: "user", content: "What is the temperature in Oslo?" }],
      tools: tools.map((tool) => ({
        ...tool,
        function: {
          ...tool.function,
          parse: JSON.parse,
          function: ({ city }) => {
            asked.push(city);
            return "-3";
          },
        },
      })),
    });
    const said = await runner.finalContent();

    assert.deepEqual(asked, ["Oslo"]);
    assert.ok(said.length > 0);
  });
}

test("a message may show an image", async () => {
  const { client } = connect();
  const url = `data:image/png;base64,${pixel}`;

  const answer = await client.chat.completions.create({
    model,
    messages: [
      {
        role: "user",
        content: [
          { type: "text", text: "What is on this picture?" },
          { type: "image_url", image_url: { url, detail: "low" } },
        ],
      },
    ],
  });

  assert.ok(answer.choices[0].message.content.length > 0);
});

test("an answer may be made to fit a schema", async () => {
  const { client } = connect();
  const schema = {
    type: "object",
    properties: { city: { type: "string" }, inhabitants: { type: "integer" } },
    required: ["city", "inhabitants"],
    additionalProperties: false,
  };

  const answer = await client.chat.completions.create({
    ...ask,
    response_format: { type: "json_schema", json_schema: { name: "city", strict: true, schema } },
  });

  const city = JSON.parse(answer.choices[0].message.content);
  assert.deepEqual(Object.keys(city).sort(), ["city", "inhabitants"]);
});

// ── Refusals: typed, and asked for once ─────────────────────────────────────────────────────────

const refusals = [
  {
    of: "a wrong key",
    options: { apiKey: "uc_wrong" },
    error: OpenAI.AuthenticationError,
    says: { status: 401, code: "invalid_api_key", type: "invalid_request_error" },
  },
  {
    of: "a request dearer than it may be",
    options: { defaultHeaders: { "X-Max-Cost": "0.000001" } },
    error: OpenAI.APIError,
    says: { status: 402, code: "payment_required", type: "insufficient_credits" },
  },
  {
    of: "a model above the tier",
    body: { model: "gpt-4o" },
    error: OpenAI.PermissionDeniedError,
    says: { status: 403, code: "model_not_available", type: "permission_error" },
  },
  {
    of: "a model that is not there",
    body: { model: "gpt-5o" },
    error: OpenAI.NotFoundError,
    says: { status: 404, code: "model_not_found", param: "model" },
  },
  {
    of: "a value out of bounds",
    body: { temperature: 3 },
    error: OpenAI.BadRequestError,
    says: { status: 400, code: "invalid_value", param: "temperature" },
  },
  {
    of: "a field that would reach the shared account",
    body: { store: true },
    error: OpenAI.BadRequestError,
    says: { status: 400, code: "unsupported_parameter", param: "store" },
  },
];

for (const { of, options, body, error, says } of refusals) {
  test(`${of} is refused with ${says.status} and not tried again`, async () => {
    const { client, responses } = connect(options);

    const refusal = await client.chat.completions
      .create({ ...ask, ...body })
      .then(assert.fail, (reason) => reason);

    assert.ok(refusal instanceof error, refusal);
    for (const [name, value] of Object.entries(says)) assert.equal(refusal[name], value);
    assert.match(refusal.requestID, /^[0-9A-Z]{26}$/);
    assert.equal(responses.length, 1);
  });
}

// ── A provider's bad days ───────────────────────────────────────────────────────────────────────

test("a busy provider is tried again, and paid once", async () => {
  const { client, responses } = connect();
  const before = await client.get("/credits/balance");
  await order({ status: 503, retry_after_seconds: 0 });

  const answer = await client.chat.completions.create(ask);

  assert.deepEqual(responses.map((each) => each.status), [200, 503, 200]);
  assert.ok(responses[1].headers.has("Retry-After"));
  const after = await client.get("/credits/balance");
  assert.equal(after.spent_nanousd - before.spent_nanousd, answer.usage.cost_nanousd);
  assert.equal(after.held_nanousd, 0);
});

test("a stream that breaks off is an error, never a short answer", async () => {
  const { client } = connect();
  await order({ cut_after_chunks: 2 });

  const stream = await client.chat.completions.create({ ...ask, stream: true });

  await assert.rejects(collect(stream), (error) => {
    assert.ok(error instanceof OpenAI.APIError);
    assert.equal(error.code, "upstream_error");
    return true;
  });
});

test("the same Idempotency-Key gets the same answer, and pays once", async () => {
  const { client, responses } = connect();
  const headers = { "Idempotency-Key": crypto.randomUUID() };
  const first = await client.chat.completions.create(ask, { headers });
  const before = await client.get("/credits/balance");

  const again = await client.chat.completions.create(ask, { headers });

  assert.equal(again.id, first.id);
  assert.equal(responses.at(-1).headers.get("Idempotent-Replayed"), "true");
  const after = await client.get("/credits/balance");
  assert.equal(after.spent_nanousd, before.spent_nanousd);
});

test("an Idempotency-Key in use is refused and not tried again", async () => {
  const { client, responses } = connect();
  const headers = { "Idempotency-Key": crypto.randomUUID() };
  await order({ delay_seconds: 1.5 });
  const first = client.chat.completions.create(ask, { headers }).asResponse();
  await new Promise((resolve) => setTimeout(resolve, 500));

  const refusal = await client.chat.completions
    .create(ask, { headers })
    .then(assert.fail, (reason) => reason);

  assert.ok(refusal instanceof OpenAI.ConflictError);
  assert.equal(refusal.code, "idempotency_in_progress");
  await (await first).text();
  assert.deepEqual(responses.map((each) => each.status).sort(), [200, 409]);
});
