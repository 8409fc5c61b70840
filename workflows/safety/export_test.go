package safety

// MaxAlone is how many strings of a JSON text are read by themselves.
const MaxAlone = maxAlone
