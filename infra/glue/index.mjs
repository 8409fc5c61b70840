// What a role's entry module imports:
//
//	import { worker, object, workflow } from "./glue/index.mjs";
//	export const Ledger = object("Ledger");
//	export const Import = workflow("Import");
//	export default worker();
export { worker } from "./worker.mjs";
export { object } from "./object.mjs";
export { workflow } from "./workflow.mjs";
export { tables } from "./host.mjs";
import "./bindings.mjs";
