// JPEG through libjpeg-turbo; its errors come back by longjmp, within this file only.
// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>
#include <jerror.h>

#include "cc_internal.h"

// A progressive file may repeat scans at no cost to itself and much to the reader.
enum { scan_limit = 500 };

typedef struct {
    struct jpeg_error_mgr manager;
    struct jpeg_progress_mgr progress;
    jmp_buf escape;
    uint8_t *pixels;
    char *error;
} state;

static void leave(state *s, const char *message) {
    cc_fail(s->error, message);
    longjmp(s->escape, 1);
}

static void on_error(j_common_ptr codec) {
    state *s = (state *)codec->err;
    char message[JMSG_LENGTH_MAX];
    codec->err->format_message(codec, message);
    leave(s, message);
}

// libjpeg goes on after damage and fills the rest with grey; here that is an error.
static void on_message(j_common_ptr codec, int level) {
    if (level >= 0) return;
    switch (codec->err->msg_code) {
    case JWRN_JPEG_EOF:
    case JWRN_HIT_MARKER:
        leave((state *)codec->err, "the file ends early");
        break;
    case JWRN_HUFF_BAD_CODE:
    case JWRN_MUST_RESYNC:
        leave((state *)codec->err, "the picture data are damaged");
        break;
    default:
        break;
    }
}

static void no_output(j_common_ptr codec) { (void)codec; }

static void on_progress(j_common_ptr codec) {
    j_decompress_ptr decoder = (j_decompress_ptr)codec;
    if (decoder->input_scan_number > scan_limit) {
        leave((state *)codec->err, "too many scans");
    }
}

int cc_jpeg_decode(const uint8_t *bytes, size_t count, uint64_t pixel_limit, cc_picture *picture,
                   char *error) {
    state s;
    memset(&s, 0, sizeof s);
    s.error = error;
    struct jpeg_decompress_struct decoder;
    memset(&decoder, 0, sizeof decoder);
    decoder.err = jpeg_std_error(&s.manager);
    s.manager.error_exit = on_error;
    s.manager.emit_message = on_message;
    s.manager.output_message = no_output;
    if (setjmp(s.escape)) {
        jpeg_destroy_decompress(&decoder);
        free(s.pixels);
        return 1;
    }
    jpeg_create_decompress(&decoder);
    s.progress.progress_monitor = on_progress;
    decoder.progress = &s.progress;
    jpeg_mem_src(&decoder, bytes, count);
    jpeg_read_header(&decoder, TRUE);
    if ((uint64_t)decoder.image_width * decoder.image_height > pixel_limit) {
        leave(&s, "the picture is too large");
    }
    if (decoder.jpeg_color_space == JCS_CMYK || decoder.jpeg_color_space == JCS_YCCK) {
        leave(&s, "CMYK colours are not supported; convert the picture to RGB");
    }
    decoder.out_color_space = JCS_RGB;
    picture->source_channels = (uint32_t)decoder.num_components;
    picture->source_bits = (uint32_t)decoder.data_precision;
    jpeg_start_decompress(&decoder);
    picture->width = decoder.output_width;
    picture->height = decoder.output_height;
    picture->channels = 3;
    size_t row_bytes = (size_t)decoder.output_width * 3;
    s.pixels = malloc(row_bytes * decoder.output_height);
    if (!s.pixels) leave(&s, "not enough memory");
    while (decoder.output_scanline < decoder.output_height) {
        JSAMPROW row = s.pixels + row_bytes * decoder.output_scanline;
        jpeg_read_scanlines(&decoder, &row, 1);
    }
    jpeg_finish_decompress(&decoder);
    jpeg_destroy_decompress(&decoder);
    picture->pixels = s.pixels;
    return 0;
}
