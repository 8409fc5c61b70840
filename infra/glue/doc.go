// Package glue is the JavaScript half of the runtime: modules that a role's entry
// module imports, and the compatibility settings they need.
//
// The platform builder puts these files, Go's own wasm_exec.js and the Go binary as
// app.wasm into one folder ("glue") beside a generated entry module:
//
//	import { worker, object, workflow } from "./glue/index.mjs";
//	export const Ledger = object("Ledger");
//	export const Import = workflow("Import");
//	export default worker();
package glue
