// Padded planes: pictures copied so that every tap of a kernel is one fixed offset.
// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string.h>

#include "ck_convolution.h"
#include "ck_math.h"
#include "ck_micro.h"
#include "ck_rows.h"

/// A band of output rows over padded input rows.
///
/// With stride 1, rows are `pitch` apart and the zeros after a row are both the padding right of it
/// and left of the next; pixel (i, j) is at lead + i·pitch + j, so that output position q = r·pitch + j
/// reads tap (u, v) at q + u·pitch + v. With stride s, pixels are dealt out to s × s phase planes by
/// the remainders of their coordinates, each padded on its own; tap (u, v) then reads phase (u mod s, v mod s)
/// at q + (u div s)·pitch + v div s. Positions from out_width to pitch are computed and dropped.
typedef struct {
    long stride, lead, pitch, rows;
    long plane, channel;  // floats of a phase plane and of a channel
} ck_band;

CK_INLINE long ck_max(long a, long b) { return a > b ? a : b; }
CK_INLINE long ck_min(long a, long b) { return a < b ? a : b; }

CK_INLINE ck_band ck_make_band(const ck_convolution *s, long out_rows) {
    ck_band band = {.stride = s->stride, .rows = out_rows + (s->kernel_height - 1) / s->stride};
    long right = s->out_width + s->kernel_width - 1 - s->left - s->width;
    if (s->stride == 1 && s->left >= 0) {
        band.lead = s->left;
        band.pitch = ck_max(s->width + ck_max(s->left, ck_max(right, 0)), s->out_width);
    } else {
        band.pitch = s->out_width + (s->kernel_width - 1) / s->stride;
    }
    band.plane = CK_ROUND_UP(band.lead + band.rows * band.pitch + s->kernel_width + CK_LANES);
    // Planes a multiple of a page apart would share cache sets.
    if (band.plane % 1024 == 0) band.plane += CK_LANES;
    band.channel = band.plane * s->stride * s->stride;
    return band;
}

/// Where tap (u, v) of channel c starts.
CK_INLINE long ck_tap_offset(const ck_band *band, long c, long u, long v) {
    long s = band->stride;
    return c * band->channel + (u % s * s + v % s) * band->plane + u / s * band->pitch + v / s;
}

/// Copies `channels` planes for the output rows from `first_row` on; pixels outside are zeros.
CK_INLINE void ck_fill_planes(const ck_convolution *s, const ck_band *band, const float *x,
                              long channels, long first_row, float *out) {
    long first = first_row * s->stride - s->top;
    for (long c = 0; c < channels; c++) {
        const float *source = x + c * s->height * s->width;
        for (long phase = 0; phase < s->stride * s->stride; phase++) {
            float *plane = out + c * band->channel + phase * band->plane;
            for (long i = 0; i < band->lead; i++) plane[i] = 0;
            float *row = plane + band->lead;
            for (long i = 0; i < band->rows; i++, row += band->pitch) {
                long y = first + i * s->stride + phase / s->stride;
                const float *from = source + y * s->width;
                int outside = y < 0 || y >= s->height;
                if (s->stride == 1 && s->left >= 0) {
                    long copied = outside ? 0 : s->width;
                    ck_copy_row(row, from, copied, 0);
                    for (long j = copied; j < band->pitch; j++) row[j] = 0;
                    continue;
                }
                long column = phase % s->stride - s->left;
                long begin = column < 0 ? (-column + s->stride - 1) / s->stride : 0;
                long end = s->width > column ? (s->width - column + s->stride - 1) / s->stride : 0;
                begin = ck_min(outside ? band->pitch : begin, band->pitch);
                end = ck_max(ck_min(end, band->pitch), begin);
                for (long j = 0; j < begin; j++) row[j] = 0;
                if (s->stride == 2)
                    ck_copy_every_second(row + begin, from, 2 * begin + column, end - begin,
                                         s->width);
                else
                    for (long j = begin; j < end; j++) row[j] = from[j * s->stride + column];
                for (long j = end; j < band->pitch; j++) row[j] = 0;
            }
            for (float *end = plane + band->plane; row < end; row++) *row = 0;
        }
    }
}
