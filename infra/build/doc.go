// Package build makes what a Worker is uploaded or started with: one folder for
// each role, with the Go program as Wasm, the JavaScript half of the runtime,
// and the entry module.
//
//	<out>/<role>/worker.mjs        exports the default handler and the role's classes
//	<out>/<role>/glue/*.mjs        package glue
//	<out>/<role>/glue/wasm_exec.js of the Go installation that compiled the program
//	<out>/<role>/glue/app.wasm     infra/workers/<role>, its memory capped as the stack says
//	<out>/<role>.assets/           what is served in its place, with the modules that npm installed
//
// A file is written only when its content changes, and then at once, so a
// reader never sees half of one, and who watches knows what to reload. The same
// source builds the same bytes, whatever the folder and the commit.
package build
