#!/usr/bin/env bash
# lz4js: no LZ4 frame that it writes can be read by a Java client, whatever its size, although other readers take it. Brokers of Apache Kafka reject it.
#
# lz4js leaves the flag "independent blocks" out of every frame, also of those with a single block, and has no option to set it. Kafka's own reader of LZ4
# rejects frames without the flag before it looks at a block. A producer and a consumer that both use lz4js as the codec of kafkajs read each other, so tests
# of such an application pass. A broker of Apache Kafka 4.3.1 answers Produce with UNKNOWN_SERVER_ERROR, which says nothing of LZ4. A server that does not open
# compressed batches takes them, and each Java consumer then fails at the same offset.
# Seen with lz4js 0.2.0, lz4-napi 2.10.0 and kafka-clients 4.3.1. The fix here: packages/protocol/src/records/lz4-frame.ts, `lz4HeaderTrouble`.
set -euo pipefail
export LC_ALL=C
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --no-audit --no-fund --silent lz4js@0.2.0 lz4-napi@2.10.0
cat >pom.xml <<'XML'
<project>
  <modelVersion>4.0.0</modelVersion>
  <groupId>findings</groupId>
  <artifactId>lz4</artifactId>
  <version>1</version>
  <dependencies>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka-clients</artifactId><version>4.3.1</version></dependency>
  </dependencies>
</project>
XML
mvn -q -B dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory=jars
cat >write.cjs <<'JS'
const { writeFileSync } = require('node:fs')
const lz4js = require('lz4js')
const napi = require('lz4-napi')

async function main() {
  for (const size of [1, 1_000, 5_000_000]) {
    const bytes = Buffer.from('a record of a batch '.repeat(size / 20 + 1)).subarray(0, size)
    const frames = { lz4js: Buffer.from(lz4js.compress(bytes)), 'lz4-napi': await napi.compressFrame(bytes) }
    for (const [name, frame] of Object.entries(frames)) {
      writeFileSync(`${String(size).padStart(7, '0')}-${name}.lz4`, frame)
      const others = [Buffer.from(lz4js.decompress(frame)), await napi.decompressFrame(frame)]
      if (!others.every((read) => bytes.equals(read))) throw new Error(`${name} ${size}: the two libraries do not read the same`)
    }
  }
}
main()
JS
node write.cjs
cat >Read.java <<'JAVA'
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.utils.BufferSupplier;

public class Read {
    public static void main(String[] names) throws Exception {
        for (String name : names) {
            ByteBuffer frame = ByteBuffer.wrap(Files.readAllBytes(Path.of(name)));
            try (InputStream in = Compression.of("lz4").build().wrapForInput(frame, (byte) 2, BufferSupplier.NO_CACHING)) {
                System.out.println(name + ": " + in.readAllBytes().length + " bytes");
            } catch (KafkaException error) {
                System.out.println(name + ": " + error.getCause().getMessage());
            }
        }
    }
}
JAVA
java -cp 'jars/*' Read.java *.lz4 2>/dev/null | tee seen
diff - seen <<'SEEN' && echo 'as it was seen'
0000001-lz4-napi.lz4: 1 bytes
0000001-lz4js.lz4: Dependent block stream is unsupported
0001000-lz4-napi.lz4: 1000 bytes
0001000-lz4js.lz4: Dependent block stream is unsupported
5000000-lz4-napi.lz4: 5000000 bytes
5000000-lz4js.lz4: Dependent block stream is unsupported
SEEN
