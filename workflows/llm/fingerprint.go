package llm

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"reflect"

	"levada.dev/tenants"
)

// question is everything that an answer depends on.
type question struct {
	Tenant  tenants.ID
	Model   string
	Version string
	Prompt  Prompt
}

// fingerprint is the name of a question: equal questions have the same one and others another, whatever is in their
// texts. Whether the answer is wanted piece by piece makes no difference.
func fingerprint(q question) (string, error) {
	q.Prompt.Stream = false
	b, err := canonical(make([]byte, 0, 4096), reflect.ValueOf(q))
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:]), nil
}

// canonical appends a value so that no other value of the type is written alike: every field with its name, every text
// and list with its length. JSON would not do: it writes all bytes that are no UTF-8 the same. It goes by the type, so a
// field that is new cannot be forgotten; one of a kind that it does not know is an error.
func canonical(b []byte, v reflect.Value) (_ []byte, err error) {
	switch v.Kind() {
	case reflect.String:
		return appendText(b, v.String()), nil
	case reflect.Bool:
		if v.Bool() {
			return append(b, 1), nil
		}
		return append(b, 0), nil
	case reflect.Int, reflect.Int64:
		return binary.BigEndian.AppendUint64(b, uint64(v.Int())), nil
	case reflect.Float64:
		return binary.BigEndian.AppendUint64(b, math.Float64bits(v.Float())), nil
	case reflect.Pointer:
		if v.IsNil() {
			return append(b, 0), nil
		}
		return canonical(append(b, 1), v.Elem())
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return appendText(b, string(v.Bytes())), nil
		}
		b = binary.BigEndian.AppendUint64(b, uint64(v.Len()))
		for i := range v.Len() {
			if b, err = canonical(b, v.Index(i)); err != nil {
				return nil, err
			}
		}
		return b, nil
	case reflect.Struct:
		for i := range v.NumField() {
			if b, err = canonical(appendText(b, v.Type().Field(i).Name), v.Field(i)); err != nil {
				return nil, err
			}
		}
		return b, nil
	}
	return nil, fmt.Errorf("llm: no canonical form of %s", v.Type())
}

func appendText(b []byte, s string) []byte {
	return append(binary.BigEndian.AppendUint64(b, uint64(len(s))), s...)
}
