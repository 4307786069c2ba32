#!/usr/bin/env bash
# kafka-go: a fetch whose only batch has no records sends the reader back to offset 1, and it delivers the partition again, without end.
#
# Log compaction keeps the last batch of an idempotent producer for its sequence, also when no record of it is left (the header with a count of 0), and a
# fetch of Apache Kafka ends with the segment that it begins in. So a fetch may return one empty batch, which says in its header at which offset to go on.
# kafka-go goes on after the last offset of the last message that it has read in the same fetch, to pass over what compaction has removed. Without a message
# that number is still the zero of a new struct, so it goes on at 0 + 1. It then reads on to the empty batch, and starts again.
# Below, the log has three records and an empty batch for the offsets 3 and 4. Seen with kafka-go 0.4.51. With a broker of Apache Kafka 4.3.1, a compacted
# topic whose first segment ended with such a batch was read as 0 to 6, 1 to 6, 1 to 6 and so on, and never further. kafkajs 2.2.4 stayed before the batch,
# with 450 fetches a second. franz-go 1.22.3, sarama 1.61.1, kafka-python 3.0.12, aiokafka 0.14.0, @platformatic/kafka 2.12.1 and kafka-ts
# 1.5.0 read the topic to its end.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat >go.mod <<'MOD'
module findings

go 1.25

require (
	github.com/segmentio/kafka-go v0.4.51
	github.com/twmb/franz-go/pkg/kmsg v1.15.1
)
MOD
cat >main.go <<'GO'
package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"net"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kmsg"
)

const topic = "t"
const end = 5

func batch(offset int64, offsets int32, values ...string) []byte {
	b := kmsg.RecordBatch{
		FirstOffset:     offset,
		Magic:           2,
		LastOffsetDelta: offsets - 1,
		FirstTimestamp:  1_700_000_000_000,
		MaxTimestamp:    1_700_000_000_000,
		ProducerID:      1,
		FirstSequence:   int32(offset),
		NumRecords:      int32(len(values)),
	}
	for i, value := range values {
		record := kmsg.Record{OffsetDelta: int32(i), Value: []byte(value)}
		record.Length = int32(len(record.AppendTo(nil)) - 1)
		b.Records = record.AppendTo(b.Records)
	}
	written := b.AppendTo(nil)
	binary.BigEndian.PutUint32(written[8:], uint32(len(written)-12))
	binary.BigEndian.PutUint32(written[17:], crc32.Checksum(written[21:], crc32.MakeTable(crc32.Castagnoli)))
	return written
}

// What a broker answers from each of two segments.
func fetched(offset int64) []byte {
	switch {
	case offset < 3:
		return batch(0, 3, "a", "b", "c")
	case offset < end:
		return batch(3, 2)
	default:
		return nil
	}
}

type broker struct {
	port    int32
	fetches chan int64
}

func (b *broker) answer(request []byte) kmsg.Response {
	key, version := int16(binary.BigEndian.Uint16(request)), int16(binary.BigEndian.Uint16(request[2:]))
	body := request[10+max(0, int16(binary.BigEndian.Uint16(request[8:]))):]
	switch key {
	case 1:
		asked := kmsg.FetchRequest{Version: version}
		if err := asked.ReadFrom(body); err != nil {
			panic(err)
		}
		offset := asked.Topics[0].Partitions[0].FetchOffset
		b.fetches <- offset
		answered := kmsg.NewFetchResponseTopicPartition()
		answered.HighWatermark, answered.LastStableOffset, answered.RecordBatches = end, end, fetched(offset)
		return &kmsg.FetchResponse{Version: version, Topics: []kmsg.FetchResponseTopic{{Topic: topic, Partitions: []kmsg.FetchResponseTopicPartition{answered}}}}
	case 2:
		asked := kmsg.ListOffsetsRequest{Version: version}
		if err := asked.ReadFrom(body); err != nil {
			panic(err)
		}
		partition := kmsg.NewListOffsetsResponseTopicPartition()
		if asked.Topics[0].Partitions[0].Timestamp == -1 {
			partition.Offset = end
		} else {
			partition.Offset = 0
		}
		topics := []kmsg.ListOffsetsResponseTopic{{Topic: topic, Partitions: []kmsg.ListOffsetsResponseTopicPartition{partition}}}
		return &kmsg.ListOffsetsResponse{Version: version, Topics: topics}
	case 3:
		name := topic
		partition := kmsg.MetadataResponseTopicPartition{Leader: 1, Replicas: []int32{1}, ISR: []int32{1}}
		return &kmsg.MetadataResponse{
			Version:      version,
			Brokers:      []kmsg.MetadataResponseBroker{{NodeID: 1, Host: "127.0.0.1", Port: b.port}},
			ControllerID: 1,
			Topics:       []kmsg.MetadataResponseTopic{{Topic: &name, Partitions: []kmsg.MetadataResponseTopicPartition{partition}}},
		}
	default:
		keys := []kmsg.ApiVersionsResponseApiKey{{ApiKey: 1, MaxVersion: 10}, {ApiKey: 2, MaxVersion: 1}, {ApiKey: 3, MaxVersion: 1}, {ApiKey: 18}}
		return &kmsg.ApiVersionsResponse{Version: version, ApiKeys: keys}
	}
}

func (b *broker) serve(conn net.Conn) {
	for {
		size := make([]byte, 4)
		if _, err := io.ReadFull(conn, size); err != nil {
			return
		}
		request := make([]byte, binary.BigEndian.Uint32(size))
		if _, err := io.ReadFull(conn, request); err != nil {
			return
		}
		body := b.answer(request).AppendTo(append([]byte{}, request[4:8]...))
		conn.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(body))), body...))
	}
}

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	b := &broker{port: int32(listener.Addr().(*net.TCPAddr).Port), fetches: make(chan int64, 1_000)}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go b.serve(conn)
		}
	}()

	reader := kafka.NewReader(kafka.ReaderConfig{Brokers: []string{listener.Addr().String()}, Topic: topic, MaxWait: time.Second, QueueCapacity: 1})
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	fmt.Print("messages:")
	for range 7 {
		message, err := reader.ReadMessage(ctx)
		if err != nil {
			panic(err)
		}
		fmt.Printf(" %d", message.Offset)
	}
	fmt.Print("\nfetches from offset:")
	for range 4 {
		fmt.Printf(" %d", <-b.fetches)
	}
	fmt.Println()
}
GO
go mod tidy >/dev/null 2>&1
go run . | tee seen
diff - seen <<'SEEN' && echo 'as it was seen'
messages: 0 1 2 1 2 1 2
fetches from offset: 0 3 1 3
SEEN
