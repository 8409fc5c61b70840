// The Worker that stands in for Workers AI and Vectorize: one entrypoint each, with
// the platform's signatures, in front of the Go servers in infra/dev/localai and
// infra/dev/localvec. How to bind it: docs/design/local-ai.md.
export { AI } from "./ai.mjs";
export { Vectorize } from "./vectorize.mjs";

export default {
  fetch: () => new Response("This Worker has no routes: bind its entrypoints AI and Vectorize.\n", { status: 404 }),
};
