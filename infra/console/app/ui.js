// What pages and parts are made with, by one name: `html` is a template, a component a function of its properties.
import { h } from "../vendor/preact.js";
import htm from "../vendor/htm.js";

export { render } from "../vendor/preact.js";
export { useEffect, useId, useLayoutEffect, useMemo, useRef, useState } from "../vendor/preact-hooks.js";
export { effect, signal } from "../vendor/signals.js";

export const html = htm.bind(h);
