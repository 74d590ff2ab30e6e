// Unpacking through zlib. SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "cc_internal.h"

enum { piece = 1 << 20 };

static int finish(z_stream *stream, cc_buffer *out, char *error, const char *message) {
    inflateEnd(stream);
    cc_buffer_free(out);
    cc_fail(error, message);
    return 1;
}

// zlib counts input in 32 bits: hand it over in pieces.
static void feed(z_stream *stream, const uint8_t **bytes, size_t *left) {
    if (stream->avail_in > 0 || *left == 0) return;
    size_t count = *left < piece ? *left : piece;
    stream->next_in = (Bytef *)*bytes;
    stream->avail_in = (uInt)count;
    *bytes += count;
    *left -= count;
}

int cc_gunzip(const uint8_t *bytes, size_t count, size_t limit, cc_buffer *out, char *error) {
    z_stream stream;
    memset(&stream, 0, sizeof stream);
    *out = (cc_buffer){0};
    if (inflateInit2(&stream, 15 + 16) != Z_OK) {
        cc_fail(error, "not enough memory");
        return 1;
    }
    size_t capacity = 0, left = count;
    for (;;) {
        if (out->count == capacity) {
            size_t wanted = capacity ? capacity * 2 : piece;
            if (wanted > limit + 1) wanted = limit + 1;
            uint8_t *grown = wanted > capacity ? realloc(out->bytes, wanted) : NULL;
            if (!grown) {
                return finish(&stream, out, error,
                              wanted > capacity ? "not enough memory" : "too large once unpacked");
            }
            out->bytes = grown;
            capacity = wanted;
        }
        feed(&stream, &bytes, &left);
        size_t space = capacity - out->count < piece ? capacity - out->count : piece;
        stream.next_out = out->bytes + out->count;
        stream.avail_out = (uInt)space;
        int result = inflate(&stream, Z_NO_FLUSH);
        out->count += space - stream.avail_out;
        if (out->count > limit) return finish(&stream, out, error, "too large once unpacked");
        if (result == Z_STREAM_END) {
            feed(&stream, &bytes, &left);
            // Another member may follow; zero padding may not be one.
            if (stream.avail_in == 0 || *stream.next_in != 0x1f) break;
            if (inflateReset(&stream) != Z_OK) return finish(&stream, out, error, "damaged data");
        } else if (result == Z_BUF_ERROR || (result == Z_OK && stream.avail_in == 0 && left == 0)) {
            if (stream.avail_out > 0) return finish(&stream, out, error, "the data end early");
        } else if (result != Z_OK) {
            return finish(&stream, out, error, stream.msg ? stream.msg : "damaged data");
        }
    }
    inflateEnd(&stream);
    return 0;
}

int cc_inflate(const uint8_t *bytes, size_t count, size_t size, cc_buffer *out, char *error) {
    z_stream stream;
    memset(&stream, 0, sizeof stream);
    *out = (cc_buffer){0};
    if (inflateInit2(&stream, -15) != Z_OK) {
        cc_fail(error, "not enough memory");
        return 1;
    }
    // One byte more than promised shows a stream that does not end where it should.
    out->bytes = malloc(size + 1);
    if (!out->bytes) return finish(&stream, out, error, "not enough memory");
    size_t left = count;
    int result = Z_OK;
    while (result == Z_OK) {
        feed(&stream, &bytes, &left);
        size_t space = size + 1 - out->count;
        if (space > piece) space = piece;
        stream.next_out = out->bytes + out->count;
        stream.avail_out = (uInt)space;
        result = inflate(&stream, Z_NO_FLUSH);
        out->count += space - stream.avail_out;
        if (out->count > size) return finish(&stream, out, error, "longer than its directory says");
    }
    if (result == Z_BUF_ERROR) return finish(&stream, out, error, "the data end early");
    if (result != Z_STREAM_END) return finish(&stream, out, error, "damaged data");
    if (out->count != size) return finish(&stream, out, error, "shorter than its directory says");
    inflateEnd(&stream);
    return 0;
}
