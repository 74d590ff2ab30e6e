// Memory, copies with strides and conversions between storage types. SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdint.h>
#include "ck_pool.h"

/// How the elements of a weight are stored.
typedef enum { CK_FLOAT32 = 0, CK_FLOAT16 = 1, CK_BFLOAT16 = 2 } ck_float_type;

/// Most dimensions that a strided kernel takes after collapsing.
#define CK_MAX_DIMS 8

/// Memory of `bytes` (at least 1; 64-byte aligned; release with free), in huge pages where it is large;
/// ends the process when there is none.
void *ck_allocate(long bytes);
/// Gives freed memory inside of the heap back to the system; free() alone keeps it.
void ck_trim_memory(void);

/// Copies a strided array of `width`-byte elements to a strided destination; strides in elements.
void ck_copy_strided(ck_pool *pool, int dims, const long *shape, const void *source,
                     const long *source_strides, void *destination, const long *destination_strides,
                     int width);

/// destination += source for f32; same addressing.
void ck_add_strided(ck_pool *pool, int dims, const long *shape, const float *source,
                    const long *source_strides, float *destination, const long *destination_strides);

void ck_fill_f32(float *destination, long n, float value);
void ck_f16_to_f32(ck_pool *pool, const uint16_t *source, float *destination, long n);
void ck_f32_to_f16(ck_pool *pool, const float *source, uint16_t *destination, long n);
void ck_bf16_to_f32(ck_pool *pool, const uint16_t *source, float *destination, long n);
/// Rounds to nearest even; NaN stays NaN.
void ck_f32_to_bf16(ck_pool *pool, const float *source, uint16_t *destination, long n);
