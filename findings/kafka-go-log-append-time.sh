#!/usr/bin/env bash
# kafka-go: in a topic with message.timestamp.type=LogAppendTime, the time of a message is the producer's, and the broker's cannot be had at all.
#
# With LogAppendTime the broker writes its clock into the batch header, as the maximum timestamp, and sets a bit of the attributes; the deltas of the records
# stay as the producer wrote them, because they may be compressed. A consumer has to give every record of such a batch the maximum. kafka-go reads the
# maximum and drops it, and never looks at the bit, in both of its readers: the one of `Conn` and `Reader`, and the one of `Client.Fetch`. So a producer's
# wrong clock, which LogAppendTime is there for, comes through, and an offset found by time belongs to a message that says another time.
# Seen with kafka-go 0.4.51; franz-go 1.22.3 reads the same bytes right. With a broker of Apache Kafka 4.3.1, `Reader` of kafka-go, @platformatic/kafka 2.12.1
# and kafka-ts 1.5.0 all delivered the producer's time, and franz-go and kafkajs 2.2.4 the broker's.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat >go.mod <<'MOD'
module findings

go 1.25

require (
	github.com/segmentio/kafka-go v0.4.51
	github.com/twmb/franz-go v1.22.3
	github.com/twmb/franz-go/pkg/kmsg v1.15.1
)
MOD
cat >main.go <<'GO'
package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"net"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

const topic = "t"

var produced = time.Date(2001, 9, 9, 1, 46, 40, 0, time.UTC)
var appended = time.Date(2023, 11, 14, 22, 13, 20, 0, time.UTC)

// Two records, ten seconds apart by the clock of the producer, as a broker stores them.
func batch(logAppendTime bool) []byte {
	b := kmsg.RecordBatch{
		Magic:           2,
		LastOffsetDelta: 1,
		FirstTimestamp:  produced.UnixMilli(),
		MaxTimestamp:    produced.UnixMilli() + 10_000,
		ProducerID:      -1,
		ProducerEpoch:   -1,
		FirstSequence:   -1,
		NumRecords:      2,
	}
	if logAppendTime {
		b.Attributes = 8
		b.MaxTimestamp = appended.UnixMilli()
	}
	for i := int32(0); i < b.NumRecords; i++ {
		record := kmsg.Record{OffsetDelta: i, TimestampDelta64: int64(i) * 10_000, Value: []byte("v")}
		record.Length = int32(len(record.AppendTo(nil)) - 1)
		b.Records = record.AppendTo(b.Records)
	}
	written := b.AppendTo(nil)
	binary.BigEndian.PutUint32(written[8:], uint32(len(written)-12))
	binary.BigEndian.PutUint32(written[17:], crc32.Checksum(written[21:], crc32.MakeTable(crc32.Castagnoli)))
	return written
}

// A broker that answers ApiVersions and Fetch 2.
func serve(conn net.Conn, records []byte) {
	for {
		size := make([]byte, 4)
		if _, err := io.ReadFull(conn, size); err != nil {
			return
		}
		request := make([]byte, binary.BigEndian.Uint32(size))
		if _, err := io.ReadFull(conn, request); err != nil {
			return
		}
		body := append([]byte{}, request[4:8]...)
		if binary.BigEndian.Uint16(request) == 18 {
			body = (&kmsg.ApiVersionsResponse{ApiKeys: []kmsg.ApiVersionsResponseApiKey{{ApiKey: 1, MinVersion: 2, MaxVersion: 2}}}).AppendTo(body)
		} else {
			partition := kmsg.FetchResponseTopicPartition{HighWatermark: 2, RecordBatches: records}
			topics := []kmsg.FetchResponseTopic{{Topic: topic, Partitions: []kmsg.FetchResponseTopicPartition{partition}}}
			body = (&kmsg.FetchResponse{Version: 2, Topics: topics}).AppendTo(body)
		}
		conn.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(body))), body...))
	}
}

func main() {
	for _, logAppendTime := range []bool{false, true} {
		records := batch(logAppendTime)
		show := func(reader string, times ...time.Time) {
			fmt.Printf("LogAppendTime %t, %s:", logAppendTime, reader)
			for _, at := range times {
				fmt.Print(" ", at.UTC().Format(time.RFC3339))
			}
			fmt.Println()
		}

		fetched, _ := kgo.ProcessFetchPartition(kgo.ProcessFetchPartitionOpts{Topic: topic}, &kmsg.FetchResponseTopicPartition{RecordBatches: records},
			kgo.DefaultDecompressor(), nil)
		show("franz-go", fetched.Records[0].Timestamp, fetched.Records[1].Timestamp)

		ours, theirs := net.Pipe()
		go serve(ours, records)
		conn := kafka.NewConn(theirs, topic, 0)
		conn.Seek(0, kafka.SeekAbsolute|kafka.SeekDontCheck)
		read := conn.ReadBatch(1, 1_000_000)
		first, err := read.ReadMessage()
		second, err2 := read.ReadMessage()
		if err != nil || err2 != nil {
			panic(fmt.Sprint(err, err2))
		}
		show("kafka-go, Conn", first.Time, second.Time)
		conn.Close()

		var set protocol.RecordSet
		if _, err := set.ReadFrom(bytes.NewReader(append(binary.BigEndian.AppendUint32(nil, uint32(len(records))), records...))); err != nil {
			panic(err)
		}
		var times []time.Time
		for range 2 {
			record, err := set.Records.ReadRecord()
			if err != nil {
				panic(err)
			}
			times = append(times, record.Time)
		}
		show("kafka-go, RecordSet", times...)
	}
}
GO
go mod tidy >/dev/null 2>&1
go run . | tee seen
diff - seen <<'SEEN' && echo 'as it was seen'
LogAppendTime false, franz-go: 2001-09-09T01:46:40Z 2001-09-09T01:46:50Z
LogAppendTime false, kafka-go, Conn: 2001-09-09T01:46:40Z 2001-09-09T01:46:50Z
LogAppendTime false, kafka-go, RecordSet: 2001-09-09T01:46:40Z 2001-09-09T01:46:50Z
LogAppendTime true, franz-go: 2023-11-14T22:13:20Z 2023-11-14T22:13:20Z
LogAppendTime true, kafka-go, Conn: 2001-09-09T01:46:40Z 2001-09-09T01:46:50Z
LogAppendTime true, kafka-go, RecordSet: 2001-09-09T01:46:40Z 2001-09-09T01:46:50Z
SEEN
