// The table of pages: a page is one module and one row. It is loaded when somebody opens it, and shown to keys that hold its scope, of
// tenants that have its feature.
import { has, may } from "../session.js";

const pages = [
  { id: "overview", title: "Overview", load: () => import("./overview.js") },
  { id: "chat", title: "Chat", scope: "chat", load: () => import("./chat.js") },
  { id: "search", title: "Search", scope: "search", load: () => import("./search.js") },
  { id: "documents", title: "Documents", scope: "documents", load: () => import("./documents.js") },
  { id: "jobs", title: "Jobs", scope: "jobs", load: () => import("./jobs.js") },
  { id: "tools", title: "Tools", scope: "tools", feature: "tools", load: () => import("./tools.js") },
  { id: "speech", title: "Speech", scope: "tts", feature: "speech", load: () => import("./speech.js") },
  { id: "letters", title: "Queues", scope: "audit", load: () => import("./letters.js") },
  { id: "usage", title: "Usage", scope: "metrics", load: () => import("./usage.js") },
  { id: "metrics", title: "Metrics", scope: "metrics", load: () => import("./metrics.js") },
  { id: "traces", title: "Traces", scope: "metrics", load: () => import("./traces.js") },
];

/** shown are the pages of whoever is signed in. */
export const shown = () => pages.filter((page) => may(page.scope) && has(page.feature));

/** find answers a page that is shown, or undefined. */
export const find = (id) => shown().find((page) => page.id === id);
