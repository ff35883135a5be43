/* Floor of publishing: real messages from a file, over and over, confirmed every `batch` of them.
 *
 * producer FILE BOOTSTRAP TOPIC ROWS BATCH CONTENT_TYPE [name=value ...]
 * FILE holds, for each message, the sizes of key and value as 32-bit integers of this machine, then both. */
#include "rows.h"
#include <stdint.h>

static char *read_file(const char *path, size_t *size) {
    FILE *file = fopen(path, "rb");
    if (!file) die(path, "can't be read");
    fseek(file, 0, SEEK_END);
    *size = ftell(file);
    rewind(file);
    char *content = malloc(*size);
    if (!content || fread(content, 1, *size, file) != *size) die(path, "can't be read");
    fclose(file);
    return content;
}

int main(int count, char **arguments) {
    if (count < 7) die("producer", "FILE BOOTSTRAP TOPIC ROWS BATCH CONTENT_TYPE [name=value ...]");
    size_t size;
    char *content = read_file(arguments[1], &size), *at = content;
    long rows = atol(arguments[4]), batch = atol(arguments[5]);
    rd_kafka_t *kafka = make_producer(arguments[2], count - 7, arguments + 7);
    rd_kafka_topic_t *topic = rd_kafka_topic_new(kafka, arguments[3], NULL);
    double started = now();
    for (long sent = 1; sent <= rows; sent++) {
        uint32_t sizes[2];
        memcpy(sizes, at, sizeof sizes);
        at += sizeof sizes;
        send_message(kafka, topic, arguments[6], at, sizes[0], at + sizes[0], sizes[1]);
        at += sizes[0] + sizes[1];
        if (at >= content + size) at = content;
        if (sent % batch == 0) confirm(kafka);
    }
    confirm(kafka);
    report(rows, started);
    rd_kafka_topic_destroy(topic);
    rd_kafka_destroy(kafka);
    return 0;
}
