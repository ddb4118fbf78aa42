import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.NullNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Timestamp;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.spark.SparkThrowable;
import org.apache.spark.api.java.function.VoidFunction2;
import org.apache.spark.sql.AnalysisException;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.execution.streaming.runtime.MemoryStream;
import org.apache.spark.sql.execution.streaming.runtime.MicroBatchExecution;
import org.apache.spark.sql.execution.streaming.runtime.StreamingQueryWrapper;
import org.apache.spark.sql.streaming.StateOperatorProgress;
import org.apache.spark.sql.streaming.StreamingQuery;
import org.apache.spark.sql.streaming.StreamingQueryException;
import org.apache.spark.sql.streaming.StreamingQueryProgress;
import org.apache.spark.sql.types.ArrayType;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.MapType;
import org.apache.spark.sql.types.StructType;

/** Records what Spark does with streaming cases: `Streams IN.json OUT.json`. One case is one query; the rows of a step are one epoch. */
public class Streams {
  static final ObjectMapper MAPPER = new ObjectMapper();
  static final JsonNodeFactory NODES = JsonNodeFactory.instance;
  static final Path WORK = Path.of(System.getProperty("streams.work", "."));

  public static void main(String[] args) throws Exception {
    org.apache.logging.log4j.core.config.Configurator.setRootLevel(org.apache.logging.log4j.Level.OFF);
    SparkSession root = session();
    ArrayNode cases = MAPPER.createArrayNode();
    for (JsonNode c : MAPPER.readTree(new File(args[0])).get("cases")) {
      ObjectNode out = c.deepCopy();
      out.remove("spark");
      try {
        out.set("spark", new Streams(root.newSession(), c).run());
        cases.add(out);
      } catch (Throwable e) {
        System.out.println("not recorded: " + c.get("name").asText() + ": " + e);
      }
    }
    ObjectNode out = MAPPER.createObjectNode();
    out.put("engine", "Apache Spark " + root.version());
    out.set("cases", cases);
    MAPPER.writeValue(new File(args[1]), out);
    System.out.println(cases.size() + " cases");
    System.exit(0);
  }

  static SparkSession session() {
    SparkSession s = SparkSession.builder().master("local[1]")
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.sql.shuffle.partitions", "1")
        .config("spark.sql.ansi.enabled", "true")
        .config("spark.sql.warehouse.dir", WORK.resolve("warehouse").toString())
        .config("spark.sql.streaming.checkpointFileManagerClass",
            "org.apache.spark.sql.execution.streaming.checkpointing.FileSystemBasedCheckpointFileManager")
        .config("spark.sql.streaming.stopTimeout", "60s")
        .config("spark.ui.enabled", "false")
        .getOrCreate();
    s.sparkContext().setLogLevel("OFF");
    return s;
  }

  private final SparkSession session;
  private final JsonNode testCase;
  private final Map<String, MemoryStream<Row>> streams = new HashMap<>();
  private final Map<String, StructType> schemas = new HashMap<>();
  /** The rows of each batch of the step that runs. */
  private final List<List<JsonNode>> batches = new ArrayList<>();
  private final Path checkpoint;
  private Dataset<Row> result;
  private StreamingQuery query;

  Streams(SparkSession session, JsonNode testCase) throws Exception {
    this.session = session;
    this.testCase = testCase;
    SparkSession.setActiveSession(session);
    checkpoint = Files.createTempDirectory(Files.createDirectories(WORK.resolve("checkpoints")), "c");
  }

  ObjectNode run() throws Exception {
    try {
      testCase.get("sources").fields().forEachRemaining(e -> source(e.getKey(), e.getValue()));
      for (JsonNode stage : testCase.get("pipeline")) stage(stage);
      start();
    } catch (Exception e) {
      delete(checkpoint.toFile());
      return refused(e);
    }
    ObjectNode out = MAPPER.createObjectNode();
    ArrayNode steps = MAPPER.createArrayNode();
    try {
      for (JsonNode step : testCase.get("steps")) steps.add(step.has("restart") ? restart() : add(step.get("add")));
    } catch (StreamingQueryException e) {
      out.put("failed", String.valueOf(e.getCondition()));
      out.put("message", String.valueOf(e.getMessage()));
    } finally {
      query.stop();
      delete(checkpoint.toFile());
    }
    out.set("steps", steps);
    return out;
  }

  private void source(String name, JsonNode source) {
    StructType schema = new StructType();
    for (var it = source.get("schema").fields(); it.hasNext();) {
      var field = it.next();
      schema = schema.add(field.getKey(), type(field.getValue().asText()));
    }
    if (source.has("static")) {
      session.createDataFrame(rows(source.get("static"), schema), schema).createOrReplaceTempView(name);
      return;
    }
    MemoryStream<Row> stream = MemoryStream.apply(session, Encoders.row(schema));
    streams.put(name, stream);
    schemas.put(name, schema);
    JsonNode watermark = source.get("watermark");
    Dataset<Row> frame = stream.toDF();
    (watermark == null ? frame : frame.withWatermark(watermark.get("column").asText(), watermark.get("delay").asText()))
        .createOrReplaceTempView(name);
  }

  private void stage(JsonNode stage) {
    if (stage.has("sql")) result = session.sql(stage.get("sql").asText());
    else {
      Dataset<Row> from = stage.has("from") ? session.table(stage.get("from").asText()) : result;
      boolean within = stage.has("dropDuplicatesWithinWatermark");
      List<String> names = new ArrayList<>();
      stage.get(within ? "dropDuplicatesWithinWatermark" : "dropDuplicates").forEach(n -> names.add(n.asText()));
      String[] columns = names.toArray(new String[0]);
      if (within) result = columns.length == 0 ? from.dropDuplicatesWithinWatermark() : from.dropDuplicatesWithinWatermark(columns);
      else result = columns.length == 0 ? from.dropDuplicates() : from.dropDuplicates(columns);
    }
    if (stage.has("as")) result.createOrReplaceTempView(stage.get("as").asText());
  }

  private void start() throws Exception {
    StructType schema = result.schema();
    VoidFunction2<Dataset<Row>, Long> sink = (batch, id) -> {
      List<JsonNode> rows = new ArrayList<>();
      for (Row row : batch.collectAsList()) rows.add(json(row, schema));
      synchronized (batches) {
        batches.add(rows);
      }
    };
    query = result.writeStream().outputMode(testCase.get("outputMode").asText())
        .option("checkpointLocation", checkpoint.toString()).foreachBatch(sink).start();
  }

  private ObjectNode restart() throws Exception {
    query.stop();
    start();
    return MAPPER.createObjectNode().put("restarted", true);
  }

  /** Gives all sources their rows while no batch can begin, then waits until everything is processed. */
  private ObjectNode add(JsonNode added) throws Exception {
    synchronized (batches) {
      batches.clear();
    }
    long before = query.lastProgress() == null ? -1 : query.lastProgress().batchId();
    MicroBatchExecution execution = (MicroBatchExecution) ((StreamingQueryWrapper) query).streamingQuery();
    execution.withProgressLocked(new scala.runtime.AbstractFunction0<Object>() {
      @Override
      public Object apply() {
        added.fields().forEachRemaining(e -> {
          List<Row> rows = rows(e.getValue(), schemas.get(e.getKey()));
          streams.get(e.getKey()).addData(scala.jdk.javaapi.CollectionConverters.asScala(rows).toSeq());
        });
        return null;
      }
    });
    query.processAllAvailable();
    return step(before);
  }

  private ObjectNode step(long before) {
    ObjectNode out = MAPPER.createObjectNode();
    ArrayNode epochs = out.putArray("epochs");
    ArrayNode all = out.putArray("rows");
    synchronized (batches) {
      for (List<JsonNode> batch : batches) {
        epochs.addArray().addAll(batch);
        all.addAll(batch);
      }
    }
    StreamingQueryProgress last = query.lastProgress();
    String watermark = last.eventTime().get("watermark");
    if (watermark == null) out.putNull("watermark");
    else out.put("watermark", Instant.parse(watermark).toEpochMilli());
    ArrayNode stateRows = out.putArray("stateRows");
    for (StateOperatorProgress s : last.stateOperators()) stateRows.add(s.numRowsTotal());
    long dropped = 0;
    for (StreamingQueryProgress p : query.recentProgress())
      if (p.batchId() > before) for (StateOperatorProgress s : p.stateOperators()) dropped += s.numRowsDroppedByWatermark();
    return out.put("droppedByWatermark", dropped);
  }

  static ObjectNode refused(Exception e) {
    String name = e instanceof SparkThrowable s ? s.getCondition() : null;
    if (name == null || name.startsWith("_LEGACY"))
      name = e instanceof AnalysisException ? "AnalysisException" : e.getClass().getSimpleName();
    return MAPPER.createObjectNode().put("refused", name).put("message", String.valueOf(e.getMessage()));
  }

  static DataType type(String name) {
    return switch (name) {
      case "string" -> DataTypes.StringType;
      case "long" -> DataTypes.LongType;
      case "int" -> DataTypes.IntegerType;
      case "double" -> DataTypes.DoubleType;
      case "boolean" -> DataTypes.BooleanType;
      case "timestamp" -> DataTypes.TimestampType;
      default -> DataType.fromDDL(name);
    };
  }

  static List<Row> rows(JsonNode rows, StructType schema) {
    List<Row> out = new ArrayList<>();
    for (JsonNode row : rows) {
      Object[] values = new Object[schema.length()];
      for (int i = 0; i < values.length; i++)
        values[i] = value(row.get(schema.fields()[i].name()), schema.fields()[i].dataType());
      out.add(RowFactory.create(values));
    }
    return out;
  }

  static Object value(JsonNode v, DataType t) {
    if (v == null || v.isNull()) return null;
    if (t == DataTypes.StringType) return v.asText();
    if (t == DataTypes.LongType) return v.asLong();
    if (t == DataTypes.IntegerType) return v.asInt();
    if (t == DataTypes.DoubleType) return v.asDouble();
    if (t == DataTypes.BooleanType) return v.asBoolean();
    if (t == DataTypes.TimestampType) return new Timestamp(v.asLong());
    throw new IllegalArgumentException("no input of type " + t);
  }

  static JsonNode json(Object v, DataType t) {
    if (v == null) return NullNode.instance;
    if (t instanceof StructType s) {
      ObjectNode out = MAPPER.createObjectNode();
      for (int i = 0; i < s.length(); i++) out.set(s.fields()[i].name(), json(((Row) v).get(i), s.fields()[i].dataType()));
      return out;
    }
    if (t instanceof ArrayType a) {
      ArrayNode out = MAPPER.createArrayNode();
      for (var it = ((scala.collection.Seq<?>) v).iterator(); it.hasNext();) out.add(json(it.next(), a.elementType()));
      return out;
    }
    if (t instanceof MapType m) {
      ObjectNode out = MAPPER.createObjectNode();
      scala.jdk.javaapi.CollectionConverters.asJava((scala.collection.Map<?, ?>) v)
          .forEach((key, value) -> out.set(String.valueOf(key), json(value, m.valueType())));
      return out;
    }
    if (v instanceof Duration d)
      return MAPPER.createObjectNode().put("intervalMicros", d.toNanos() / 1000);
    if (v instanceof LocalDateTime at)
      return NODES.numberNode(at.toInstant(ZoneOffset.UTC).toEpochMilli());
    if (v instanceof Timestamp ts) return NODES.numberNode(ts.getTime());
    if (v instanceof Double d && (d.isNaN() || d.isInfinite()))
      return MAPPER.createObjectNode().put("double", d.isNaN() ? "nan" : d > 0 ? "inf" : "-inf");
    if (v instanceof Double d) return NODES.numberNode(d);
    if (v instanceof Long l) return NODES.numberNode(l);
    if (v instanceof Integer i) return NODES.numberNode(i);
    if (v instanceof Byte || v instanceof Short) return NODES.numberNode(((Number) v).intValue());
    if (v instanceof Float f) return json(f.doubleValue(), DataTypes.DoubleType);
    if (v instanceof Boolean b) return NODES.booleanNode(b);
    if (v instanceof java.math.BigDecimal d) return MAPPER.createObjectNode().put("decimal", d.toString());
    return NODES.textNode(v.toString());
  }

  static void delete(File f) {
    File[] inside = f.listFiles();
    if (inside != null) for (File x : inside) delete(x);
    f.delete();
  }
}
