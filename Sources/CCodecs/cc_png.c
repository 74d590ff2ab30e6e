// PNG through libpng; its errors come back by longjmp, within this file only.
// SPDX-License-Identifier: Apache-2.0
#include <png.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include "cc_internal.h"

// Everything that has to survive a longjmp lives here, not in locals.
typedef struct {
    const uint8_t *bytes;
    size_t count;
    size_t offset;
    uint8_t *rgba;
    png_bytep *rows;
    cc_buffer out;
    size_t capacity;
    cc_texts texts;
    char *error;
} state;

static void on_error(png_structp png, png_const_charp message) {
    state *s = png_get_error_ptr(png);
    cc_fail(s->error, message);
    longjmp(png_jmpbuf(png), 1);
}

static void on_warning(png_structp png, png_const_charp message) {
    (void)png;
    (void)message;
}

static void read_bytes(png_structp png, png_bytep target, size_t count) {
    state *s = png_get_io_ptr(png);
    if (count > s->count - s->offset) png_error(png, "the file ends early");
    memcpy(target, s->bytes + s->offset, count);
    s->offset += count;
}

static void write_bytes(png_structp png, png_bytep source, size_t count) {
    state *s = png_get_io_ptr(png);
    if (s->out.count + count > s->capacity) {
        size_t capacity = s->capacity * 2 + count + 4096;
        uint8_t *grown = realloc(s->out.bytes, capacity);
        if (!grown) png_error(png, "not enough memory");
        s->out.bytes = grown;
        s->capacity = capacity;
    }
    memcpy(s->out.bytes + s->out.count, source, count);
    s->out.count += count;
}

static void flush(png_structp png) { (void)png; }

static void release(state *s) {
    free(s->rgba);
    free(s->rows);
    free(s->out.bytes);
    cc_texts_free(&s->texts);
}

// libpng gives tEXt in Latin-1 and iTXt in UTF-8; both become UTF-8.
static char *utf8(const char *text, int is_latin1) {
    size_t length = strlen(text);
    char *copy = malloc(2 * length + 1);
    if (!copy) return NULL;
    char *to = copy;
    for (const unsigned char *from = (const unsigned char *)text; *from; from++) {
        if (is_latin1 && *from >= 0x80) {
            *to++ = (char)(0xC0 | *from >> 6);
            *to++ = (char)(0x80 | (*from & 0x3F));
        } else {
            *to++ = (char)*from;
        }
    }
    *to = 0;
    return copy;
}

static void take_texts(png_structp png, png_infop info, state *s) {
    png_textp found = NULL;
    int count = 0;
    png_get_text(png, info, &found, &count);
    if (count <= 0) return;
    s->texts.items = calloc((size_t)count, sizeof(cc_text));
    if (!s->texts.items) png_error(png, "not enough memory");
    for (int i = 0; i < count; i++) {
        int is_latin1 = found[i].compression < PNG_ITXT_COMPRESSION_NONE;
        s->texts.count = (size_t)i + 1;
        s->texts.items[i].key = utf8(found[i].key, 1);
        s->texts.items[i].value = utf8(found[i].text ? found[i].text : "", is_latin1);
        if (!s->texts.items[i].key || !s->texts.items[i].value) {
            png_error(png, "not enough memory");
        }
    }
}

static uint8_t on_white(uint32_t value, uint32_t alpha) {
    return (uint8_t)((value * alpha + 255 * (255 - alpha) + 127) / 255);
}

// Rewrites RGBA in place as the channels asked for; the target never overtakes the source.
static void convert(uint8_t *rgba, size_t pixels, uint32_t channels) {
    if (channels == 4) return;
    for (size_t i = 0; i < pixels; i++) {
        const uint8_t *p = rgba + 4 * i;
        uint8_t r = on_white(p[0], p[3]), g = on_white(p[1], p[3]), b = on_white(p[2], p[3]);
        if (channels == 3) {
            rgba[3 * i] = r;
            rgba[3 * i + 1] = g;
            rgba[3 * i + 2] = b;
        } else {
            // Rec. 601 luma; equal channels give exactly their value.
            rgba[i] = (uint8_t)((299u * r + 587u * g + 114u * b + 500u) / 1000u);
        }
    }
}

int cc_png_decode(const uint8_t *bytes, size_t count, uint32_t channels, uint64_t pixel_limit,
                  cc_picture *picture, cc_texts *texts, char *error) {
    state s = {.bytes = bytes, .count = count, .error = error};
    png_structp png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &s, on_error, on_warning);
    png_infop info = png ? png_create_info_struct(png) : NULL;
    if (!info) {
        png_destroy_read_struct(&png, NULL, NULL);
        cc_fail(error, "not enough memory");
        return 1;
    }
    if (setjmp(png_jmpbuf(png))) {
        png_destroy_read_struct(&png, &info, NULL);
        release(&s);
        return 1;
    }
    png_set_user_limits(png, 1000000, 1000000);
    png_set_chunk_malloc_max(png, 16 << 20);
    png_set_chunk_cache_max(png, 256);
    png_set_read_fn(png, &s, read_bytes);
    png_read_info(png, info);
    png_uint_32 width = png_get_image_width(png, info);
    png_uint_32 height = png_get_image_height(png, info);
    if ((uint64_t)width * height > pixel_limit) png_error(png, "the picture is too large");
    picture->width = width;
    picture->height = height;
    picture->channels = channels;
    picture->source_channels = png_get_channels(png, info);
    picture->source_bits = png_get_bit_depth(png, info);

    png_set_expand(png);
    png_set_scale_16(png);
    png_set_gray_to_rgb(png);
    png_set_add_alpha(png, 255, PNG_FILLER_AFTER);
    png_set_interlace_handling(png);
    png_read_update_info(png, info);
    size_t row_bytes = (size_t)width * 4;
    if (png_get_rowbytes(png, info) != row_bytes) png_error(png, "an unknown pixel format");
    s.rgba = malloc(row_bytes * height);
    s.rows = malloc(sizeof(png_bytep) * height);
    if (!s.rgba || !s.rows) png_error(png, "not enough memory");
    for (png_uint_32 y = 0; y < height; y++) s.rows[y] = s.rgba + row_bytes * y;
    png_read_image(png, s.rows);
    png_read_end(png, info);
    if (texts) take_texts(png, info, &s);
    png_destroy_read_struct(&png, &info, NULL);

    convert(s.rgba, (size_t)width * height, channels);
    picture->pixels = s.rgba;
    s.rgba = NULL;
    if (texts) {
        *texts = s.texts;
        s.texts = (cc_texts){0};
    }
    release(&s);
    return 0;
}

static int is_ascii(const char *text) {
    for (; *text; text++) {
        if ((unsigned char)*text >= 0x80) return 0;
    }
    return 1;
}

int cc_png_encode(const uint8_t *pixels, uint32_t width, uint32_t height, uint32_t channels,
                  const cc_text *texts, size_t text_count, cc_buffer *out, char *error) {
    state s = {.error = error};
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &s, on_error, on_warning);
    png_infop info = png ? png_create_info_struct(png) : NULL;
    if (!info) {
        png_destroy_write_struct(&png, NULL);
        cc_fail(error, "not enough memory");
        return 1;
    }
    if (setjmp(png_jmpbuf(png))) {
        png_destroy_write_struct(&png, &info);
        release(&s);
        return 1;
    }
    png_set_write_fn(png, &s, write_bytes, flush);
    int type = channels == 1   ? PNG_COLOR_TYPE_GRAY
               : channels == 3 ? PNG_COLOR_TYPE_RGB
                               : PNG_COLOR_TYPE_RGB_ALPHA;
    png_set_IHDR(png, info, width, height, 8, type, PNG_INTERLACE_NONE,
                 PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    for (size_t i = 0; i < text_count; i++) {
        png_text text = {0};
        text.compression =
            is_ascii(texts[i].value) ? PNG_TEXT_COMPRESSION_NONE : PNG_ITXT_COMPRESSION_NONE;
        text.key = texts[i].key;
        text.text = texts[i].value;
        png_set_text(png, info, &text, 1);
    }
    png_write_info(png, info);
    for (uint32_t y = 0; y < height; y++) {
        png_write_row(png, pixels + (size_t)y * width * channels);
    }
    png_write_end(png, info);
    png_destroy_write_struct(&png, &info);
    *out = s.out;
    s.out = (cc_buffer){0};
    release(&s);
    return 0;
}
