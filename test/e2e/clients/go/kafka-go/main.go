// segmentio/kafka-go as the tests drive it. It has no idempotent producer.
package main

import (
	"context"
	"errors"
	"fmt"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/segmentio/kafka-go"

	. "lks.test/clients/command"
)

func main() {
	Run(map[string]func(Options){
		"version": Version("github.com/segmentio/kafka-go"), "produce": produce, "consume": consume, "group": group, "loop": loop, "admin": admin, "unserved": unserved,
	})
}

var codecs = map[string]kafka.Compression{"none": 0, "gzip": kafka.Gzip, "snappy": kafka.Snappy, "lz4": kafka.Lz4, "zstd": kafka.Zstd}

// toPartition sends a message to the partition that its first header names.
type toPartition struct{}

func (toPartition) Balance(message kafka.Message, partitions ...int) int {
	return Must(strconv.Atoi(string(message.Headers[0].Value)))
}

func writer(options Options) *kafka.Writer {
	return &kafka.Writer{
		Addr: kafka.TCP(options.Bootstrap), Topic: options.Topic, Balancer: toPartition{}, RequiredAcks: kafka.RequireAll, BatchTimeout: 5 * time.Millisecond,
		MaxAttempts: 300, WriteBackoffMin: 50 * time.Millisecond, WriteBackoffMax: 200 * time.Millisecond, Compression: codecs[options.Codec],
		Completion: func(messages []kafka.Message, err error) {
			Check(err)
			for _, message := range messages {
				Emit(Record{Partition: int32(message.Partition), Offset: message.Offset, Value: string(message.Value)})
			}
		},
	}
}

func partitionHeader(partition int) kafka.Header {
	return kafka.Header{Key: "partition", Value: []byte(strconv.Itoa(partition))}
}

func produce(options Options) {
	writer := writer(options)
	var messages []kafka.Message
	for number := 0; number < options.Count; number++ {
		sample := SampleOf(number)
		messages = append(messages, kafka.Message{
			Key: []byte(sample.Key), Value: []byte(sample.Value), Headers: []kafka.Header{partitionHeader(sample.Partition), {Key: "h", Value: []byte(sample.Header)}},
		})
	}
	Check(writer.WriteMessages(context.Background(), messages...))
	Check(writer.Close())
}

func consume(options Options) {
	messages := make(chan kafka.Message)
	for partition := range Must(kafka.LookupPartitions(context.Background(), "tcp", options.Bootstrap, options.Topic)) {
		reader := kafka.NewReader(kafka.ReaderConfig{Brokers: []string{options.Bootstrap}, Topic: options.Topic, Partition: partition, MaxWait: 200 * time.Millisecond})
		go func() {
			for {
				messages <- Must(reader.ReadMessage(context.Background()))
			}
		}()
	}
	for count := 0; count < options.Count; count++ {
		emit(<-messages)
	}
}

func emit(message kafka.Message) {
	header := ""
	for _, each := range message.Headers {
		header = string(each.Value)
	}
	Emit(Record{Partition: int32(message.Partition), Offset: message.Offset, Key: string(message.Key), Value: string(message.Value), Header: header})
}

func group(options Options) {
	reader := kafka.NewReader(kafka.ReaderConfig{
		Brokers: []string{options.Bootstrap}, GroupID: options.Group, Topic: options.Topic, StartOffset: kafka.FirstOffset,
		MaxWait: 200 * time.Millisecond, HeartbeatInterval: 500 * time.Millisecond, CommitInterval: 100 * time.Millisecond,
	})
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		<-InputEnded()
		cancel()
	}()
	for {
		message, err := reader.ReadMessage(ctx)
		if errors.Is(err, context.Canceled) {
			break
		}
		Check(err)
		emit(message)
	}
	Check(reader.Close())
}

func loop(options Options) {
	writer := writer(options)
	ended := InputEnded()
	for number := 0; ; {
		select {
		case <-ended:
			Check(writer.Close())
			return
		default:
		}
		var messages []kafka.Message
		for range 30 {
			messages = append(messages, kafka.Message{Value: []byte(fmt.Sprintf("record %d", number)), Headers: []kafka.Header{partitionHeader(number % 3)}})
			number++
		}
		Check(writer.WriteMessages(context.Background(), messages...))
	}
}

func admin(options Options) {
	ctx := context.Background()
	client := &kafka.Client{Addr: kafka.TCP(options.Bootstrap), Timeout: 30 * time.Second}
	// Over a connection of its own, for the client's transport answers Metadata from a cache.
	partitions := func() int {
		connection := Must(kafka.Dial("tcp", options.Bootstrap))
		defer connection.Close()
		count := 0
		for _, partition := range Must(connection.ReadPartitions()) {
			if partition.Topic == options.Topic {
				count++
			}
		}
		return count
	}
	groupFound := func() bool {
		for _, group := range Must(client.ListGroups(ctx, &kafka.ListGroupsRequest{})).Groups {
			if group.GroupID == options.Group {
				return true
			}
		}
		return false
	}
	created := Must(client.CreateTopics(ctx, &kafka.CreateTopicsRequest{Topics: []kafka.TopicConfig{{
		Topic: options.Topic, NumPartitions: 3, ReplicationFactor: 1, ConfigEntries: []kafka.ConfigEntry{{ConfigName: "max.message.bytes", ConfigValue: "123456"}},
	}}}))
	Check(created.Errors[options.Topic])
	Emit(Fields{"step": "create"})
	Emit(Fields{"step": "list", "found": partitions() == 3})
	grown := Must(client.CreatePartitions(ctx, &kafka.CreatePartitionsRequest{Topics: []kafka.TopicPartitionsConfig{{Name: options.Topic, Count: 4}}}))
	Check(grown.Errors[options.Topic])
	Emit(Fields{"step": "grow", "partitions": partitions()})
	limit := func() string {
		described := Must(client.DescribeConfigs(ctx, &kafka.DescribeConfigsRequest{Resources: []kafka.DescribeConfigRequestResource{{
			ResourceType: kafka.ResourceTypeTopic, ResourceName: options.Topic, ConfigNames: []string{"max.message.bytes"},
		}}}))
		return described.Resources[0].ConfigEntries[0].ConfigValue
	}
	Emit(Fields{"step": "configs", "value": limit()})
	changed := Must(client.IncrementalAlterConfigs(ctx, &kafka.IncrementalAlterConfigsRequest{Resources: []kafka.IncrementalAlterConfigsRequestResource{{
		ResourceType: kafka.ResourceTypeTopic, ResourceName: options.Topic,
		Configs: []kafka.IncrementalAlterConfigsRequestConfig{{Name: "max.message.bytes", Value: "234567", ConfigOperation: kafka.ConfigOperationSet}},
	}}}))
	Check(changed.Resources[0].Error)
	Emit(Fields{"step": "change configs", "value": limit()})
	Emit(Fields{"step": "cluster", "nodes": len(Must(client.Metadata(ctx, &kafka.MetadataRequest{})).Brokers)})
	Emit(Fields{"step": "groups", "found": groupFound()})
	groups := Must(client.DescribeGroups(ctx, &kafka.DescribeGroupsRequest{GroupIDs: []string{options.Group}}))
	Emit(Fields{"step": "group", "state": strings.ToUpper(groups.Groups[0].GroupState)})
	fetched := Must(client.OffsetFetch(ctx, &kafka.OffsetFetchRequest{GroupID: options.Group, Topics: map[string][]int{options.Read: {0, 1}}}))
	offsets := [][2]int64{}
	for _, partition := range fetched.Topics[options.Read] {
		offsets = append(offsets, [2]int64{int64(partition.Partition), partition.CommittedOffset})
	}
	sort.Slice(offsets, func(one, other int) bool { return offsets[one][0] < offsets[other][0] })
	Emit(Fields{"step": "committed", "offsets": offsets})
	listed := Must(client.ListOffsets(ctx, &kafka.ListOffsetsRequest{Topics: map[string][]kafka.OffsetRequest{options.Read: {kafka.LastOffsetOf(0)}}}))
	Emit(Fields{"step": "end", "offset": listed.Topics[options.Read][0].LastOffset})
	commit := &kafka.OffsetCommitRequest{GroupID: options.Group, GenerationID: -1, Topics: map[string][]kafka.OffsetCommit{options.Read: {{Partition: 0, Offset: 1}}}}
	Check(Must(client.OffsetCommit(ctx, commit)).Topics[options.Read][0].Error)
	altered := Must(client.OffsetFetch(ctx, &kafka.OffsetFetchRequest{GroupID: options.Group, Topics: map[string][]int{options.Read: {0}}}))
	Emit(Fields{"step": "altered", "offset": altered.Topics[options.Read][0].CommittedOffset})
	deleted := Must(client.DeleteGroups(ctx, &kafka.DeleteGroupsRequest{GroupIDs: []string{options.Group}}))
	Check(deleted.Errors[options.Group])
	Emit(Fields{"step": "delete group", "found": groupFound()})
	removed := Must(client.DeleteTopics(ctx, &kafka.DeleteTopicsRequest{Topics: []string{options.Topic}}))
	Check(removed.Errors[options.Topic])
	Emit(Fields{"step": "delete", "found": partitions() != 0})
}

// unserved prints the error of a call that the server does not serve.
func unserved(options Options) {
	client := &kafka.Client{Addr: kafka.TCP(options.Bootstrap), Timeout: 30 * time.Second}
	_, err := client.DescribeUserScramCredentials(context.Background(), &kafka.DescribeUserScramCredentialsRequest{
		Users: []kafka.UserScramCredentialsUser{{Name: options.Topic}},
	})
	Emit(Fields{"step": "describe users", "error": fmt.Sprint(err)})
}
