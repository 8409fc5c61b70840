// Package openai is OpenAI's wire format: requests decoded into what the platform's ports take, answers, chunks and errors
// encoded from what they give. It asks nobody anything; package api does.
//
// A request is read once, front to back, by a reader that knows what may come next, so that no tree of it is built and
// every mistake has the path of its parameter or the position where the body stops being JSON. Answers are appended to a
// buffer. The reference is https://platform.openai.com/docs/api-reference; docs/openai.md says what is different here.
package openai
