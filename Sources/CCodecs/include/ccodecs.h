// Picture codecs, decompression and SHA-256 behind one plain C interface.
// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// Functions that can fail return 0 on success. Otherwise they fill `error` with a short sentence
// fragment and leave nothing allocated. No function prints, aborts or exits.
#define CC_ERROR_SIZE 200

// A decoded picture; `pixels` has width * height * channels bytes, row by row.
typedef struct {
    uint8_t *pixels;
    uint32_t width;
    uint32_t height;
    uint32_t channels;
    // What the file held.
    uint32_t source_channels;
    uint32_t source_bits;
} cc_picture;

// One text of a PNG file; both strings are UTF-8 and end with 0.
typedef struct {
    char *key;
    char *value;
} cc_text;

typedef struct {
    cc_text *items;
    size_t count;
} cc_texts;

// Bytes made by an encoder or unpacker.
typedef struct {
    uint8_t *bytes;
    size_t count;
} cc_buffer;

void cc_picture_free(cc_picture *picture);
void cc_texts_free(cc_texts *texts);
void cc_buffer_free(cc_buffer *buffer);

// Decodes any PNG. `channels` wanted: 1 grey, 3 RGB (transparent pixels composited on white),
// 4 RGBA. 16-bit samples are scaled, palettes expanded. `texts` may be NULL.
int cc_png_decode(const uint8_t *bytes, size_t count, uint32_t channels, uint64_t pixel_limit,
                  cc_picture *picture, cc_texts *texts, char *error);

// Encodes 8-bit grey (1), RGB (3) or RGBA (4). Texts become tEXt, or iTXt when not plain ASCII.
int cc_png_encode(const uint8_t *pixels, uint32_t width, uint32_t height, uint32_t channels,
                  const cc_text *texts, size_t text_count, cc_buffer *out, char *error);

// Decodes a JPEG to RGB. Grey is converted; CMYK is refused; a file that ends early is refused.
int cc_jpeg_decode(const uint8_t *bytes, size_t count, uint64_t pixel_limit, cc_picture *picture,
                   char *error);

// Unpacks gzip (also several members in a row); more than `limit` bytes is an error.
int cc_gunzip(const uint8_t *bytes, size_t count, size_t limit, cc_buffer *out, char *error);

// Unpacks a raw deflate stream (a zip member) of a known unpacked size.
int cc_inflate(const uint8_t *bytes, size_t count, size_t size, cc_buffer *out, char *error);

// SHA-256 (FIPS 180-4): mixes `blocks` blocks of 64 bytes into the state.
void cc_sha256_blocks(uint32_t state[8], const uint8_t *bytes, size_t blocks);

#ifdef __cplusplus
}
#endif
