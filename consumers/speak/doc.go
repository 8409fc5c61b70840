// Package speak reacts to speech.requested: it makes takes, the long ones by a flow.
package speak
