package quota

import (
	"math"
	"strconv"
)

// Neurons is the unit that Workers AI bills, in millionths: a model's price in neurons for a million tokens is its price for one. In JSON it is a
// number of neurons. https://developers.cloudflare.com/workers-ai/platform/pricing/
type Neurons int64

// NanosPerNeuron is what a neuron costs, in billionths of a US dollar: $0.011 for a thousand.
const NanosPerNeuron = 11_000

const perNeuron = 1_000_000

// NeuronsOf is what so much money buys, in billionths of a US dollar.
func NeuronsOf(nanos int64) Neurons { return Neurons(nanos * 1_000 / (NanosPerNeuron / 1_000)) }

// Float is a number of neurons.
func (n Neurons) Float() float64 { return float64(n) / perNeuron }

// MarshalJSON implements json.Marshaler.
func (n Neurons) MarshalJSON() ([]byte, error) {
	return strconv.AppendFloat(nil, n.Float(), 'f', -1, 64), nil
}

// UnmarshalJSON implements json.Unmarshaler.
func (n *Neurons) UnmarshalJSON(text []byte) error {
	f, err := strconv.ParseFloat(string(text), 64)
	*n = Neurons(math.Round(f * perNeuron))
	return err
}
