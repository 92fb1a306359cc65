package bench;

import java.nio.file.Path;
import java.util.Properties;
import org.apache.avro.Schema;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.state.Stores;

/** Clicks in, updates out, exactly once. SERVERS CLICKS UPDATES APPLICATION DEFINITIONS SCHEMAS STATE. Runs until it is ended. */
public final class Main {
    private Main() {}

    public static void main(String[] arguments) throws Exception {
        Links links = Links.read(Path.of(arguments[4]));
        Path schemas = Path.of(arguments[5]);
        Schema click = new Schema.Parser().parse(schemas.resolve("link_clicked.avsc").toFile());
        Schema update = new Schema.Parser().parse(schemas.resolve("change_interest.avsc").toFile());
        Topology topology = topology(arguments[1], arguments[2], click, update, links);
        KafkaStreams streams = new KafkaStreams(topology, properties(arguments[0], arguments[3], arguments[6]));
        Runtime.getRuntime().addShutdownHook(new Thread(streams::close));
        streams.start();
    }

    private static Topology topology(String clicks, String updates, Schema click, Schema update, Links links) {
        Serde<byte[]> bytes = Serdes.ByteArray();
        StreamsBuilder builder = new StreamsBuilder();
        builder.addStateStore(
                Stores.keyValueStoreBuilder(
                                Stores.persistentKeyValueStore(Dedupe.STORE), Serdes.String(), Serdes.Long())
                        .withCachingDisabled());
        builder.stream(clicks, Consumed.with(bytes, bytes))
                .process(() -> new Dedupe(click, update, links), Dedupe.STORE)
                .to(updates, Produced.with(bytes, bytes));
        return builder.build();
    }

    private static Properties properties(String servers, String application, String state) {
        Properties properties = new Properties();
        properties.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, servers);
        properties.put(StreamsConfig.APPLICATION_ID_CONFIG, application);
        properties.put(StreamsConfig.STATE_DIR_CONFIG, state);
        properties.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
        properties.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, 100);
        properties.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, 1);
        properties.put(StreamsConfig.REPLICATION_FACTOR_CONFIG, 1);
        properties.put(StreamsConfig.consumerPrefix(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG), "earliest");
        properties.put(StreamsConfig.consumerPrefix(ConsumerConfig.MAX_POLL_RECORDS_CONFIG), 5_000);
        properties.put(StreamsConfig.producerPrefix(ProducerConfig.COMPRESSION_TYPE_CONFIG), "lz4");
        properties.put(StreamsConfig.producerPrefix(ProducerConfig.BATCH_SIZE_CONFIG), 131_072);
        return properties;
    }
}
