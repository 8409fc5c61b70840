// Package dialect is how the models of Workers AI want to be asked, and how they answer.
//
// There are two wire forms: the classic one, {messages, max_tokens} in and {response, tool_calls, usage} out, and OpenAI's
// chat completions. Both answer whole, as JSON, or as a stream of server-sent events. Encode writes a prompt in a
// model's form; Whole and NewStream read an answer, whichever the form, as the pieces of package llm.
// https://developers.cloudflare.com/workers-ai/models/
package dialect
