/* What both programs share: a producer set as the Python side sets its own, and confirmation in batches. */
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static long failed;

static void die(const char *what, const char *why) {
    fprintf(stderr, "%s: %s\n", what, why);
    exit(1);
}

static void reported(rd_kafka_t *kafka, const rd_kafka_message_t *message, void *opaque) {
    (void)kafka, (void)opaque;
    if (message->err) failed++;
}

/* `settings` are arguments of the form name=value. */
static rd_kafka_t *make_producer(const char *bootstrap, int count, char **settings) {
    char error[512];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "bootstrap.servers", bootstrap, error, sizeof error);
    for (int at = 0; at < count; at++) {
        char *value = strchr(settings[at], '=');
        if (!value) die(settings[at], "not name=value");
        *value++ = 0;
        if (rd_kafka_conf_set(conf, settings[at], value, error, sizeof error)) die(settings[at], error);
    }
    rd_kafka_conf_set_dr_msg_cb(conf, reported);
    rd_kafka_t *kafka = rd_kafka_new(RD_KAFKA_PRODUCER, conf, error, sizeof error);
    if (!kafka) die("producer", error);
    return kafka;
}

static void send_message(rd_kafka_t *kafka, rd_kafka_topic_t *topic, const char *content_type, const char *key,
                         size_t key_size, const char *value, size_t value_size) {
    for (;;) {
        rd_kafka_resp_err_t error;
        if (*content_type)
            error = rd_kafka_producev(
                kafka, RD_KAFKA_V_RKT(topic), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                RD_KAFKA_V_KEY((void *)key, key_size), RD_KAFKA_V_VALUE((void *)value, value_size),
                RD_KAFKA_V_HEADER("content-type", content_type, strlen(content_type)), RD_KAFKA_V_END);
        else if (rd_kafka_produce(topic, RD_KAFKA_PARTITION_UA, RD_KAFKA_MSG_F_COPY, (void *)value, value_size, key,
                                  key_size, NULL))
            error = rd_kafka_last_error();
        else
            error = RD_KAFKA_RESP_ERR_NO_ERROR;
        if (!error) return;
        if (error != RD_KAFKA_RESP_ERR__QUEUE_FULL) die("produce", rd_kafka_err2str(error));
        rd_kafka_poll(kafka, 5);
    }
}

static void confirm(rd_kafka_t *kafka) {
    if (rd_kafka_flush(kafka, 120000)) die("flush", "timed out");
    if (failed) die("flush", "messages were refused");
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec + time.tv_nsec / 1e9;
}

static long peak_kilobytes(void) {
    char line[256];
    long size = 0;
    FILE *status = fopen("/proc/self/status", "r");
    while (status && fgets(line, sizeof line, status)) sscanf(line, "VmHWM: %ld", &size);
    if (status) fclose(status);
    return size;
}

static void report(long rows, double started) {
    double seconds = now() - started;
    printf("{\"rows\": %ld, \"seconds\": %.6f, \"rss_mb\": %.1f}\n", rows, seconds, peak_kilobytes() / 1024.0);
}
