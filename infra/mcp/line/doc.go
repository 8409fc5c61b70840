// Package line is how the API and the MCP Worker talk: one request of the API, whose body and answer are a conversation.
//
// The API passes on what a client sent, without the client's key. Before it answers, the Worker may ask questions, which are requests to the API;
// the API answers each itself, on behalf of the client, through its own door. So the Worker needs no binding and no key: it is bound by the API, binds
// nothing, and can do nothing but for the client whose request it has, while it has it.
//
//	API     question (what the client sent)
//	Worker            question (GET /schema/tools)
//	API     head, data, end
//	Worker            head, data, end (the answer to the client)
//
// The Worker asks one question at a time. Data of its own answer may come between, such as events of progress. Each of these is a frame: a byte
// that says what it is, four bytes that say how long, and that much.
package line
