// Padded planes: pictures copied so that every tap of a kernel is one fixed offset.
// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string.h>

#include "ck_math.h"
#include "ck_micro.h"

/// A band of output rows over padded input rows. Rows are `pitch` apart, the zeros after a row being the
/// padding right of it and left of the next; pixel (i, j) of the input is at lead + i·pitch + j, so that
/// output position q = r·pitch + j reads tap (u, v) at q + u·pitch + v. Positions between out_width
/// and pitch are computed and dropped.
typedef struct {
    long lead, pitch, input_rows, positions, plane;
} ck_band;

CK_INLINE long ck_max(long a, long b) { return a > b ? a : b; }
CK_INLINE long ck_min(long a, long b) { return a < b ? a : b; }

CK_INLINE ck_band ck_make_band(long width, long out_width, long kernel_height, long kernel_width,
                               long left, long rows) {
    ck_band band;
    long right = ck_max(out_width + kernel_width - 1 - left - width, 0);
    band.lead = left;
    band.pitch = ck_max(width + ck_max(left, right), out_width);
    band.input_rows = rows + kernel_height - 1;
    band.positions = CK_ROUND_UP(rows * band.pitch);
    band.plane = CK_ROUND_UP(left + band.input_rows * band.pitch + kernel_width + CK_LANES);
    // Planes a multiple of a page apart would share cache sets.
    if (band.plane % 1024 == 0) band.plane += CK_LANES;
    return band;
}

/// Copies `channels` planes, input rows from `first` on (out-of-range rows are zeros), into `out`.
CK_INLINE void ck_fill_planes(const ck_band *band, const float *x, long channels, long height,
                              long width, long first, float *out) {
    for (long c = 0; c < channels; c++) {
        float *plane = out + c * band->plane;
        const float *source = x + c * height * width;
        for (long i = 0; i < band->lead; i++) plane[i] = 0;
        float *row = plane + band->lead;
        for (long i = 0; i < band->input_rows; i++, row += band->pitch) {
            long y = first + i;
            long copied = y < 0 || y >= height ? 0 : width;
            const float *from = source + y * width;
            for (long j = 0; j < copied; j++) row[j] = from[j];
            for (long j = copied; j < band->pitch; j++) row[j] = 0;
        }
        for (float *end = plane + band->plane; row < end; row++) *row = 0;
    }
}
