#!/usr/bin/env bash
# Kafka Connect's JsonConverter: integers of 2^63 and more become other numbers, and with a schema a value of another JSON type becomes 0, false or null.
#
# Without schemas every JSON integer is an INT64, which is read with a call that drops the upper bits: an unsigned 64-bit id arrives at the sink as a negative
# number. With schemas the converter asks the JSON node for the type of the schema, and the JSON library answers with a default where the node is something
# else. So of an int32 field the string "12" is 0 and 3000000000 is -1294967296, of a string field the number 5 is null, and of a boolean field the string
# "true" is false. No error is raised, so neither the task nor a dead letter queue notices it: the converter checks the schema of what it writes, not of what
# it reads.
# Seen with org.apache.kafka:connect-json 4.3.1 on Java 17.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat >pom.xml <<'XML'
<project>
  <modelVersion>4.0.0</modelVersion>
  <groupId>findings</groupId>
  <artifactId>json</artifactId>
  <version>1</version>
  <dependencies>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>connect-json</artifactId><version>4.3.1</version></dependency>
  </dependencies>
</project>
XML
mvn -q -B dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory=jars
cat >Read.java <<'JAVA'
import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.apache.kafka.connect.json.JsonConverter;

public class Read {
    static void read(boolean schemas, String json) {
        JsonConverter converter = new JsonConverter();
        converter.configure(Map.of("schemas.enable", schemas), false);
        Object value = converter.toConnectData("topic", json.getBytes(StandardCharsets.UTF_8)).value();
        System.out.println((schemas ? "schema   " : "no schema") + " " + json + " -> " + value);
    }

    public static void main(String[] none) {
        read(false, "{\"id\":9223372036854775807}");
        read(false, "{\"id\":9223372036854775808}");
        read(false, "{\"id\":18446744073709551615}");
        String[][] fields = {
            {"int32", "12"}, {"int32", "3000000000"}, {"int32", "\"12\""}, {"int8", "300"}, {"int64", "1.9"},
            {"boolean", "true"}, {"boolean", "\"true\""}, {"string", "\"5\""}, {"string", "5"},
        };
        for (String[] field : fields)
            read(true, "{\"schema\":{\"type\":\"" + field[0] + "\"},\"payload\":" + field[1] + "}");
    }
}
JAVA
java -cp 'jars/*' Read.java 2>/dev/null | tee seen
diff - seen <<'SEEN' && echo 'as it was seen'
no schema {"id":9223372036854775807} -> {id=9223372036854775807}
no schema {"id":9223372036854775808} -> {id=-9223372036854775808}
no schema {"id":18446744073709551615} -> {id=-1}
schema    {"schema":{"type":"int32"},"payload":12} -> 12
schema    {"schema":{"type":"int32"},"payload":3000000000} -> -1294967296
schema    {"schema":{"type":"int32"},"payload":"12"} -> 0
schema    {"schema":{"type":"int8"},"payload":300} -> 44
schema    {"schema":{"type":"int64"},"payload":1.9} -> 1
schema    {"schema":{"type":"boolean"},"payload":true} -> true
schema    {"schema":{"type":"boolean"},"payload":"true"} -> false
schema    {"schema":{"type":"string"},"payload":"5"} -> 5
schema    {"schema":{"type":"string"},"payload":5} -> null
SEEN
