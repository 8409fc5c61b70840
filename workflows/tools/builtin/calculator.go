package builtin

import (
	"context"
	"math"
	"math/big"
	"strconv"

	"levada.dev/events/fault"
	"levada.dev/workflows/tools"
)

type calculatorInput struct {
	Operation string   `json:"operation" jsonschema:"enum=add,enum=subtract,enum=multiply,enum=divide,enum=power,enum=sqrt" jsonschema_description:"What to do: a + b, a - b, a * b, a / b, a to the power of b, or the square root of a."`
	A         float64  `json:"a" jsonschema_description:"The first number."`
	B         *float64 `json:"b,omitempty" jsonschema_description:"The second number. Required, but for sqrt, which does not look at it."`
}

type calculatorOutput struct {
	Result float64 `json:"result" jsonschema_description:"The result, as the nearest number of 64 bits (IEEE 754)."`
}

func calculatorTool() tool {
	return define(tools.Tool{
		Name: "calculator",
		Description: "Calculates with two numbers, in decimals as people do: 0.1 + 0.2 is 0.3. Operations: add, subtract, multiply, divide, power, " +
			"and sqrt, which takes a alone.",
		Cost: tools.Free, Effects: tools.NoEffects,
	}, calculator)
}

func calculator(_ context.Context, _ *tools.Call, in calculatorInput) (calculatorOutput, error) {
	a := in.A
	if in.Operation == "sqrt" {
		if a < 0 {
			return calculatorOutput{}, fault.Invalidf("a", tools.CodeInvalid, "is negative: it has no square root among the real numbers")
		}
		return numbered(math.Sqrt(a))
	}
	if in.B == nil {
		return calculatorOutput{}, fault.Invalidf("b", tools.CodeInvalid, "is required for %s", in.Operation)
	}
	b := *in.B
	x, y := exactly(a), exactly(b)
	switch in.Operation {
	case "add":
		return rounded(x.Add(x, y))
	case "subtract":
		return rounded(x.Sub(x, y))
	case "multiply":
		return rounded(x.Mul(x, y))
	case "divide":
		if b == 0 {
			return calculatorOutput{}, fault.Invalidf("b", tools.CodeInvalid, "is 0: nothing can be divided by it")
		}
		return rounded(x.Quo(x, y))
	}
	return power(a, b)
}

// exactExponent is up to which whole exponent a power is exact before it is rounded.
const exactExponent = 64

func power(a, b float64) (calculatorOutput, error) {
	switch {
	case a == 0 && b < 0:
		return calculatorOutput{}, fault.Invalidf("b", tools.CodeInvalid, "is negative, and a is 0: nothing can be divided by it")
	case a < 0 && b != math.Trunc(b):
		return calculatorOutput{}, fault.Invalidf("b", tools.CodeInvalid, "is not whole, and a is negative: there is no such power among the real numbers")
	case b != math.Trunc(b) || math.Abs(b) > exactExponent:
		return numbered(math.Pow(a, b))
	}
	x, n := exactly(a), big.NewInt(int64(math.Abs(b)))
	z := new(big.Rat).SetFrac(new(big.Int).Exp(x.Num(), n, nil), new(big.Int).Exp(x.Denom(), n, nil))
	if b < 0 {
		z.Inv(z)
	}
	return rounded(z)
}

// exactly is the decimal fraction that stands for a number.
func exactly(f float64) *big.Rat {
	x, _ := new(big.Rat).SetString(strconv.FormatFloat(f, 'g', -1, 64)) // of what is a number
	return x
}

func rounded(x *big.Rat) (calculatorOutput, error) {
	f, _ := x.Float64()
	return numbered(f)
}

// numbered refuses what JSON has no number for. Nothing is left of minus zero.
func numbered(f float64) (calculatorOutput, error) {
	if math.IsInf(f, 0) || math.IsNaN(f) {
		return calculatorOutput{}, fault.Invalidf("a", tools.CodeInvalid, "is too large for this operation: the result has no number of 64 bits")
	}
	return calculatorOutput{Result: f + 0}, nil
}
