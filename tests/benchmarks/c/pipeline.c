/* The whole job for the one table of the benchmark, as a C program would do it:
 * COPY of the ordered query -> CloudEvents with key and versioned id -> produce -> confirm every `batch` rows.
 *
 * pipeline DSN COPY_STATEMENT SOURCE TYPE BOOTSTRAP TOPIC BATCH CONTENT_TYPE [name=value ...] */
#include "rows.h"
#include <libpq-fe.h>
#include <zlib.h>

enum { ID, CUSTOMER, STATUS, AMOUNT, CURRENCY, CREATED, UPDATED, NOTE, ATTRS, COLUMNS };

typedef struct {
    char *text;
    size_t size;
} Field;

typedef struct {
    char *bytes;
    size_t size, room;
} Text;

static void reserve(Text *text, size_t more) {
    if (text->size + more <= text->room) return;
    text->room = (text->size + more) * 2;
    text->bytes = realloc(text->bytes, text->room);
    if (!text->bytes) die("memory", "none left");
}

static void put(Text *text, const char *bytes, size_t size) {
    reserve(text, size);
    memcpy(text->bytes + text->size, bytes, size);
    text->size += size;
}

#define LITERAL(text, literal) put(text, literal, sizeof(literal) - 1)

static void put_string(Text *text, Field field) {
    reserve(text, field.size * 6 + 2);
    char *to = text->bytes + text->size;
    *to++ = '"';
    for (size_t at = 0; at < field.size; at++) {
        unsigned char byte = field.text[at];
        const char *short_form = byte < 32 || byte == '"' || byte == '\\' ? strchr("\"\"\\\\\nn\rr\tt\ff\bb", byte) : 0;
        if (short_form && byte) {
            *to++ = '\\';
            *to++ = short_form[1];
        } else if (byte < 32) {
            to += sprintf(to, "\\u%04x", byte);
        } else {
            *to++ = byte;
        }
    }
    *to++ = '"';
    text->size = to - text->bytes;
}

/* 2026-01-01 00:00:02[.5]+00 -> 2026-01-01T00:00:02.500000Z; the session's zone is UTC. */
static void put_moment(Text *text, Field field) {
    char moment[28] = "0000-00-00T00:00:00.000000Z";
    size_t digits = field.size - 3;
    if (digits > 26 || memcmp(field.text + digits, "+00", 3)) die("time", "not of this table");
    memcpy(moment, field.text, digits);
    moment[10] = 'T';
    put(text, moment, 27);
}

static void put_data(Text *text, Field *row) {
    LITERAL(text, "{\"id\":");
    put(text, row[ID].text, row[ID].size);
    LITERAL(text, ",\"customer_id\":");
    put(text, row[CUSTOMER].text, row[CUSTOMER].size);
    LITERAL(text, ",\"status\":");
    put_string(text, row[STATUS]);
    LITERAL(text, ",\"amount\":\"");
    put(text, row[AMOUNT].text, row[AMOUNT].size);
    LITERAL(text, "\",\"currency\":");
    put_string(text, row[CURRENCY]);
    LITERAL(text, ",\"created_at\":\"");
    put_moment(text, row[CREATED]);
    LITERAL(text, "\",\"updated_at\":\"");
    put_moment(text, row[UPDATED]);
    LITERAL(text, "\",\"note\":");
    if (row[NOTE].text) put_string(text, row[NOTE]);
    else LITERAL(text, "null");
    LITERAL(text, ",\"attrs\":");
    if (row[ATTRS].text) put(text, row[ATTRS].text, row[ATTRS].size);
    else LITERAL(text, "null");
    LITERAL(text, "}");
}

static void put_event(Text *text, Text *data, Field *row, const char *source, const char *type) {
    char sum[10];
    data->size = text->size = 0;
    put_data(data, row);
    sprintf(sum, ":%08lx", crc32(0, (unsigned char *)data->bytes, data->size));
    LITERAL(text, "{\"specversion\":\"1.0\",\"id\":\"");
    put(text, row[ID].text, row[ID].size);
    LITERAL(text, "@");
    put_moment(text, row[UPDATED]);
    LITERAL(text, ",");
    put(text, row[ID].text, row[ID].size);
    put(text, sum, 9);
    LITERAL(text, "\",\"source\":\"");
    put(text, source, strlen(source));
    LITERAL(text, "\",\"type\":\"");
    put(text, type, strlen(type));
    LITERAL(text, "\",\"subject\":\"");
    put(text, row[ID].text, row[ID].size);
    LITERAL(text, "\",\"time\":\"");
    put_moment(text, row[UPDATED]);
    LITERAL(text, "\",\"datacontenttype\":\"application/json\",\"op\":\"u\",\"data\":");
    put(text, data->bytes, data->size);
    LITERAL(text, "}");
}

/* Splits one line of COPY's text format in place. */
static void split(char *line, Field *row) {
    for (int column = 0; column < COLUMNS; column++) {
        char *to = line, *from = line;
        row[column].text = line;
        if (from[0] == '\\' && from[1] == 'N') {
            row[column].text = NULL;
            from += 2;
        }
        for (; *from != '\t' && *from != '\n'; from++) {
            if (*from == '\\') {
                const char *form = strchr("b\bf\fn\nr\rt\tv\v", *++from);
                *to++ = form ? form[1] : *from;
            } else {
                *to++ = *from;
            }
        }
        row[column].size = to - line;
        line = from + 1;
    }
}

static PGconn *start_copy(const char *dsn, const char *statement) {
    PGconn *session = PQconnectdb(dsn);
    if (PQstatus(session) != CONNECTION_OK) die("connect", PQerrorMessage(session));
    PQclear(PQexec(session, "SET TimeZone = 'UTC'; SET DateStyle = 'ISO'; SET client_encoding = 'UTF8'"));
    PGresult *answer = PQexec(session, statement);
    if (PQresultStatus(answer) != PGRES_COPY_OUT) die("copy", PQerrorMessage(session));
    PQclear(answer);
    return session;
}

int main(int count, char **arguments) {
    if (count < 9) die("pipeline", "DSN COPY SOURCE TYPE BOOTSTRAP TOPIC BATCH CONTENT_TYPE [name=value ...]");
    long rows = 0, batch = atol(arguments[7]);
    rd_kafka_t *kafka = make_producer(arguments[5], count - 9, arguments + 9);
    rd_kafka_topic_t *topic = rd_kafka_topic_new(kafka, arguments[6], NULL);
    double started = now();
    PGconn *session = start_copy(arguments[1], arguments[2]);
    Text text = {0}, data = {0};
    Field row[COLUMNS];
    char *line;
    while (PQgetCopyData(session, &line, 0) > 0) {
        split(line, row);
        put_event(&text, &data, row, arguments[3], arguments[4]);
        send_message(kafka, topic, arguments[8], row[ID].text, row[ID].size, text.bytes, text.size);
        PQfreemem(line);
        if (++rows % batch == 0) confirm(kafka);
    }
    confirm(kafka);
    PGresult *end = PQgetResult(session); /* a failed COPY ends like a finished one */
    if (PQresultStatus(end) != PGRES_COMMAND_OK) die("copy", PQerrorMessage(session));
    PQclear(end);
    report(rows, started);
    PQfinish(session);
    rd_kafka_topic_destroy(topic);
    rd_kafka_destroy(kafka);
    return 0;
}
