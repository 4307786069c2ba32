// Package command is what the Go client programs share: their options, their lines of JSON, and when they have to end.
package command

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"sync"
)

// Options are those that every program in test/e2e/clients takes.
type Options struct {
	Bootstrap, Topic, Group, Read, Rack, Codec, Speaks string
	Count                                              int
	Idempotent                                         bool
}

// Record is one line about a record that was acknowledged or read.
type Record struct {
	Partition int32  `json:"partition"`
	Offset    int64  `json:"offset"`
	Key       string `json:"key,omitempty"`
	Value     string `json:"value"`
	Header    string `json:"header,omitempty"`
}

// Fields of any other line.
type Fields map[string]any

// Sample is record `number` of a produce run.
type Sample struct {
	Partition          int
	Key, Value, Header string
}

// Run parses the arguments and runs the subcommand. A panic is how a command fails: its text is what the test prints.
func Run(commands map[string]func(Options)) {
	if len(os.Args) < 2 || commands[os.Args[1]] == nil {
		panic(fmt.Sprintf("no such subcommand: %v", os.Args[1:]))
	}
	var options Options
	var idempotent string
	flags := flag.NewFlagSet(os.Args[1], flag.ExitOnError)
	flags.StringVar(&options.Bootstrap, "bootstrap", "", "address of the server")
	flags.StringVar(&options.Topic, "topic", "", "")
	flags.StringVar(&options.Group, "group", "", "")
	flags.StringVar(&options.Read, "read", "", "the topic that the group of an admin run has read")
	flags.StringVar(&options.Rack, "rack", "", "the zone of a member of a group")
	flags.StringVar(&options.Codec, "codec", "none", "")
	flags.StringVar(&options.Speaks, "speaks", "", "the Kafka version that the client is configured for")
	flags.IntVar(&options.Count, "count", 0, "")
	flags.StringVar(&idempotent, "idempotent", "false", "")
	if err := flags.Parse(os.Args[2:]); err != nil {
		panic(err)
	}
	options.Idempotent = idempotent == "true"
	commands[os.Args[1]](options)
}

var output sync.Mutex

// Emit prints one line of JSON.
func Emit(line any) {
	output.Lock()
	defer output.Unlock()
	if err := json.NewEncoder(os.Stdout).Encode(line); err != nil {
		panic(err)
	}
}

// InputEnded is closed when standard input ends: the test asks the program to finish.
func InputEnded() <-chan struct{} {
	ended := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		close(ended)
	}()
	return ended
}

// SampleOf makes record `number` of a produce run.
func SampleOf(number int) Sample {
	return Sample{number % 2, fmt.Sprintf("key %d", number), fmt.Sprintf("value %d", number), fmt.Sprintf("header %d", number)}
}

// Version is the version of a module that the program was built with.
func Version(module string) func(Options) {
	return func(Options) {
		info, _ := debug.ReadBuildInfo()
		for _, dependency := range info.Deps {
			if dependency.Path == module {
				Emit(Fields{"version": dependency.Version})
				return
			}
		}
		panic("built without " + module)
	}
}

// Must panics with the error, or returns the value.
func Must[T any](value T, err error) T {
	Check(err)
	return value
}

// Check panics with the error.
func Check(err error) {
	if err != nil {
		panic(err)
	}
}
