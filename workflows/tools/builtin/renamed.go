package builtin

import "levada.dev/events/fault"

// renamed is an error at the member of a call that stands for the field it names: the pairs are field and member.
func renamed(err error, pairs ...string) error {
	f := fault.As(err)
	if f.Kind != fault.Invalid {
		return err
	}
	for i := 0; i < len(pairs); i += 2 {
		if f.Field == pairs[i] {
			return fault.Invalidf(pairs[i+1], f.Code, "%s", f.Message).WithHint(f.Hint)
		}
	}
	return err
}
