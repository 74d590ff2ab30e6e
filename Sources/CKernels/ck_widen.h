// 16-bit floats as 32-bit ones. SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ck_math.h"
#include "ck_memory.h"

/// The value of an IEEE half; one instruction for a vector of them where the processor has it.
CK_INLINE float ck_half_to_float(uint16_t h) {
    _Float16 value;
    memcpy(&value, &h, 2);
    return (float)value;
}

/// The value of a bfloat16.
CK_INLINE float ck_bfloat_to_float(uint16_t b) {
    uint32_t bits = (uint32_t)b << 16;
    float f;
    memcpy(&f, &bits, 4);
    return f;
}

/// `rows` rows of `count` values `step` apart, as float rows of `out` that follow each other at `pitch`.
CK_INLINE void ck_widen_rows(const uint16_t *from, ck_float_type type, long step, long rows,
                             long count, float *out, long pitch) {
    for (long r = 0; r < rows; r++) {
        const uint16_t *row = from + r * step;
        float *to = out + r * pitch;
        if (type == CK_FLOAT16)
            for (long i = 0; i < count; i++) to[i] = ck_half_to_float(row[i]);
        else
            for (long i = 0; i < count; i++) to[i] = ck_bfloat_to_float(row[i]);
    }
}
