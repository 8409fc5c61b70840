package wire

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
)

// The tag bytes. The glue has the same list in the same order.
const (
	tagNull byte = iota
	tagFalse
	tagTrue
	tagInt32
	tagInt64
	tagFloat64
	tagString
	tagBytes
	tagJSON
	tagFloat32s
	tagList
)

// List is a value made of values.
type List []any

// Append adds the values to the frame. It takes nil, bool, the integer kinds that
// fit an int64, float32, float64, string, []byte, []float32, []string,
// json.RawMessage (parsed on the JavaScript side) and List. Another type is an error,
// because guessing would corrupt data.
func Append(frame []byte, values ...any) ([]byte, error) {
	var err error
	for i, v := range values {
		if frame, err = appendValue(frame, v); err != nil {
			return frame, fmt.Errorf("wire: value %d: %w", i, err)
		}
	}
	return frame, nil
}

func appendValue(b []byte, v any) ([]byte, error) {
	switch v := v.(type) {
	case nil:
		return append(b, tagNull), nil
	case bool:
		if v {
			return append(b, tagTrue), nil
		}
		return append(b, tagFalse), nil
	case int:
		return AppendInt(b, int64(v)), nil
	case int32:
		return AppendInt(b, int64(v)), nil
	case int64:
		return AppendInt(b, v), nil
	case uint8:
		return AppendInt(b, int64(v)), nil
	case uint16:
		return AppendInt(b, int64(v)), nil
	case uint32:
		return AppendInt(b, int64(v)), nil
	case float32:
		return appendFloat(b, float64(v)), nil
	case float64:
		return appendFloat(b, v), nil
	case string:
		return AppendString(b, v), nil
	case []byte:
		if v == nil {
			return append(b, tagNull), nil
		}
		return AppendBytes(b, v), nil
	case json.RawMessage:
		return append(appendHead(b, tagJSON, len(v)), v...), nil
	case []float32:
		return AppendFloat32s(b, v), nil
	case []string:
		b = appendHead(b, tagList, len(v))
		for _, s := range v {
			b = AppendString(b, s)
		}
		return b, nil
	case List:
		return Append(appendHead(b, tagList, len(v)), v...)
	}
	return b, fmt.Errorf("type %T cannot cross to JavaScript", v)
}

// AppendInt adds an integer.
func AppendInt(b []byte, v int64) []byte {
	if v == int64(int32(v)) {
		return binary.LittleEndian.AppendUint32(append(b, tagInt32), uint32(v))
	}
	return binary.LittleEndian.AppendUint64(append(b, tagInt64), uint64(v))
}

// AppendString adds text. JavaScript strings are Unicode, so invalid UTF-8 arrives
// with replacement characters; data that must survive unchanged is []byte.
func AppendString(b []byte, s string) []byte {
	return append(appendHead(b, tagString, len(s)), s...)
}

// AppendBytes adds bytes.
func AppendBytes(b []byte, v []byte) []byte { return append(appendHead(b, tagBytes, len(v)), v...) }

// AppendFloat32s adds a vector.
func AppendFloat32s(b []byte, v []float32) []byte {
	b = appendHead(b, tagFloat32s, len(v))
	for _, f := range v {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(f))
	}
	return b
}

func appendFloat(b []byte, v float64) []byte {
	return binary.LittleEndian.AppendUint64(append(b, tagFloat64), math.Float64bits(v))
}

func appendHead(b []byte, tag byte, n int) []byte {
	return binary.LittleEndian.AppendUint32(append(b, tag), uint32(n))
}
