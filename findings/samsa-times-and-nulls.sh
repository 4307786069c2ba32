#!/usr/bin/env bash
# samsa (Rust): the consumer doubles the distance of each time from the first of its batch; null keys and values are read and written as empty ones.
#
# Varints in a batch are zigzag encoded. The consumer halves the lengths and the distances of offsets that it reads, but not those of times, so a record that
# was written an hour after the first of its batch says two hours. Lengths have no -1 in this library: a tombstone is read as an empty value, and the producer
# writes `value: None` as an empty value as well. With cleanup.policy=compact that record does not delete its key, it replaces the value, and all records with
# `key: None` share the empty key, so compaction keeps the last of them. Brokers reject null keys in a compacted topic, but not this key.
# A fetch returns whole batches, and the consumer does not drop the records before the offset that it asked for: the first records of a batch come again.
# Seen with samsa 0.1.8 and Rust 1.95. The batch below has three records: the second 1 s after the first and without a value, the third 1 h after the first and
# without a key. It is served to the consumer through samsa's own trait for connections. The first build takes two minutes of CPU time.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat >Cargo.toml <<'TOML'
[package]
name = "findings"
version = "0.0.0"
edition = "2021"

[dependencies]
async-trait = "=0.1.92"
crc = "3"
samsa = "=0.1.8"
tokio = { version = "1", features = ["rt", "macros"] }
TOML
mkdir src
cat >src/main.rs <<'RUST'
use async_trait::async_trait;
use samsa::prelude::bytes::{BufMut, BytesMut};
use samsa::prelude::encode::ToByte;
use samsa::prelude::{protocol::ProduceRequest, BrokerAddress, BrokerConnection, ConsumerBuilder, Result, TopicPartitionsBuilder};
use std::collections::HashMap;

const FIRST_MS: i64 = 1_700_000_000_000;

fn varint(out: &mut Vec<u8>, value: i64) {
    let mut rest = ((value << 1) ^ (value >> 63)) as u64;
    while rest >= 0x80 {
        out.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    out.push(rest as u8);
}

fn bytes(out: &mut Vec<u8>, bytes: Option<&str>) {
    varint(out, bytes.map_or(-1, |text| text.len() as i64));
    out.extend_from_slice(bytes.unwrap_or("").as_bytes());
}

/// A batch as the Java producer writes it: (milliseconds after the first, key, value).
fn batch(records: &[(i64, Option<&str>, Option<&str>)]) -> Vec<u8> {
    let mut body = Vec::new();
    body.put_i16(0);
    body.put_i32(records.len() as i32 - 1);
    body.put_i64(FIRST_MS);
    body.put_i64(FIRST_MS + records.iter().map(|record| record.0).max().unwrap());
    body.put_i64(-1);
    body.put_i16(-1);
    body.put_i32(-1);
    body.put_i32(records.len() as i32);
    for (index, (later, key, value)) in records.iter().enumerate() {
        let mut record = vec![0];
        varint(&mut record, *later);
        varint(&mut record, index as i64);
        bytes(&mut record, *key);
        bytes(&mut record, *value);
        varint(&mut record, 0);
        varint(&mut body, record.len() as i64);
        body.extend(record);
    }
    let mut batch = Vec::new();
    batch.put_i64(0);
    batch.put_i32(body.len() as i32 + 9);
    batch.put_i32(0);
    batch.put_i8(2);
    batch.put_u32(crc::Crc::<u32>::new(&crc::CRC_32_ISCSI).checksum(&body));
    batch.extend(body);
    batch
}

fn string(out: &mut BytesMut, text: &str) {
    out.put_i16(text.len() as i16);
    out.put_slice(text.as_bytes());
}

/// A broker: it answers Metadata 1 and Fetch 4.
#[derive(Clone, Debug)]
struct Broker {
    api_key: i16,
}

#[async_trait]
impl BrokerConnection for Broker {
    type ConnConfig = ();
    async fn new(_: ()) -> Result<Self> {
        Ok(Broker { api_key: 0 })
    }
    async fn from_addr(_: (), _: BrokerAddress) -> Result<Self> {
        Ok(Broker { api_key: 0 })
    }
    async fn send_request<R: ToByte + Sync + Send>(&mut self, request: &R) -> Result<()> {
        let mut sent = Vec::new();
        request.encode(&mut sent)?;
        self.api_key = i16::from_be_bytes([sent[0], sent[1]]);
        Ok(())
    }
    async fn receive_response(&mut self) -> Result<BytesMut> {
        let mut out = BytesMut::new();
        out.put_i32(1);
        if self.api_key == 3 {
            out.put_i32(1);
            out.put_i32(1);
            string(&mut out, "broker");
            out.put_i32(9092);
            out.put_i16(-1);
            out.put_i32(1);
            out.put_i32(1);
            out.put_i16(0);
            string(&mut out, "t");
            out.put_i8(0);
            out.put_i32(1);
            out.put_i16(0);
            for number in [0, 1, 1, 1, 1, 1] {
                out.put_i32(number); // partition 0, led by broker 1, whose only replica and in-sync replica it is
            }
        } else {
            let records = batch(&[(0, Some("k"), Some("one")), (1_000, Some("k"), None), (3_600_000, None, Some("three"))]);
            out.put_i32(0);
            out.put_i32(1);
            string(&mut out, "t");
            out.put_i32(1);
            out.put_i32(0);
            out.put_i16(0);
            out.put_i64(3);
            out.put_i64(3);
            out.put_i32(-1);
            out.put_i32(records.len() as i32);
            out.put_slice(&records);
        }
        Ok(out)
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let assignment = TopicPartitionsBuilder::new().assign("t".to_string(), vec![0]).build();
    let from = HashMap::from([(("t".to_string(), 0), 1)]);
    let mut consumer = ConsumerBuilder::<Broker>::new((), assignment).await?.seek(&from).build();
    println!("read from offset 1");
    for message in consumer.next_batch().await?.0 {
        let later = message.timestamp as i64 - FIRST_MS;
        println!("offset {}: {later} ms after the first, key {:?}, value {:?}", message.offset, message.key, message.value);
    }

    let mut request = ProduceRequest::new(1, 1_000, 1, "c", samsa::prelude::protocol::produce::request::Attributes::new(None));
    request.add("t", 0, None, None, vec![]);
    let mut sent = Vec::new();
    request.encode(&mut sent)?;
    // The record ends with the length of its key, the length of its value and the count of its headers, one byte each.
    let tail = &sent[sent.len() - 3..];
    println!("write key None, value None: lengths {} and {}", tail[0] as i64 / 2, tail[1] as i64 / 2);
    Ok(())
}
RUST
cargo run --quiet 2>/dev/null | tee seen
diff - seen <<'SEEN' && echo 'as it was seen'
read from offset 1
offset 0: 0 ms after the first, key b"k", value b"one"
offset 1: 2000 ms after the first, key b"k", value b""
offset 2: 7200000 ms after the first, key b"", value b"three"
write key None, value None: lengths 0 and 0
SEEN
