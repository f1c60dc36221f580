// The stack under test: where it is, what its provider is told to do, and what clients sent it.

const { FAREBOX_URL, OPENAI_API_KEY, SIMULATOR_URL } = process.env;

export const key = OPENAI_API_KEY;
export const bases = [`${FAREBOX_URL}/v1`, `${FAREBOX_URL}/api/v1/llm`];
export const base = bases[0];
export const model = "gpt-4o-mini";

/** A picture of one pixel. */
export const pixel =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

async function control(method, fault) {
  const answer = await fetch(`${SIMULATOR_URL}/simulator/faults`, {
    method,
    headers: { "Content-Type": "application/json" },
    body: fault && JSON.stringify({ fault }),
  });
  if (!answer.ok) throw new Error(await answer.text());
}

/** Make the provider misbehave at its next request for an answer. */
export const order = (fault) => control("POST", fault);

/** Forget what was ordered. */
export const calm = () => control("DELETE");

/** A `fetch` that remembers the responses it got. */
export function watched() {
  const responses = [];
  const watch = async (...request) => {
    const response = await fetch(...request);
    responses.push(response);
    return response;
  };
  return { responses, fetch: watch };
}
