// Rotation of square pictures about their centre. SPDX-License-Identifier: Apache-2.0
#include "ck_rotation.h"

#include "ck_math.h"

typedef struct {
    const float *x, *u, *dy;
    long channels, side;
    float *y, *dx, *du;
} rotation_job;

/// Where an output pixel reads: the four pixels around (column, row), and how far between them it lies.
typedef struct {
    long row, column;
    float down, right;
} tap;

CK_INLINE tap tap_of(float x, float y, const float *u, float centre) {
    float column = x * u[0] - y * u[1] + centre, row = x * u[1] + y * u[0] + centre;
    float c = floorf(column), r = floorf(row);
    return (tap){.row = (long)r, .column = (long)c, .down = row - r, .right = column - c};
}

CK_INLINE float pixel(const float *plane, long side, long row, long column) {
    return row >= 0 && row < side && column >= 0 && column < side ? plane[row * side + column] : 0;
}

CK_KERNEL static void forward_body(void *raw, long begin, long end, int worker) {
    (void)worker;
    const rotation_job *job = raw;
    long side = job->side, pixels = side * side;
    float centre = 0.5f * (float)(side - 1);
    for (long image = begin; image < end; image++)
        for (long i = 0; i < pixels; i++) {
            tap t = tap_of((float)(i % side) - centre, (float)(i / side) - centre,
                           job->u + 2 * image, centre);
            for (long c = 0; c < job->channels; c++) {
                const float *plane = job->x + (image * job->channels + c) * pixels;
                float top = pixel(plane, side, t.row, t.column) * (1 - t.right) +
                            pixel(plane, side, t.row, t.column + 1) * t.right;
                float bottom = pixel(plane, side, t.row + 1, t.column) * (1 - t.right) +
                               pixel(plane, side, t.row + 1, t.column + 1) * t.right;
                job->y[(image * job->channels + c) * pixels + i] =
                    top * (1 - t.down) + bottom * t.down;
            }
        }
}

void ck_rotate_forward(ck_pool *pool, const float *x, const float *u, long batch, long channels,
                       long side, float *y) {
    rotation_job job = {.x = x, .u = u, .channels = channels, .side = side, .y = y};
    ck_parallel_for(pool, batch, 8192 / (channels * side * side + 1) + 1, forward_body, &job);
}

CK_INLINE void spread(float *plane, long side, long row, long column, float value) {
    if (row >= 0 && row < side && column >= 0 && column < side) plane[row * side + column] += value;
}

CK_KERNEL static void backward_body(void *raw, long begin, long end, int worker) {
    (void)worker;
    const rotation_job *job = raw;
    long side = job->side, pixels = side * side;
    float centre = 0.5f * (float)(side - 1);
    for (long image = begin; image < end; image++) {
        double cosine = 0, sine = 0;
        for (long c = 0; c < job->channels; c++) {
            long at = (image * job->channels + c) * pixels;
            const float *plane = job->x + at;
            float *dx = job->dx ? job->dx + at : 0;
            if (dx)
                for (long i = 0; i < pixels; i++) dx[i] = 0;
            for (long i = 0; i < pixels; i++) {
                float x = (float)(i % side) - centre, y = (float)(i / side) - centre;
                float dy = job->dy[at + i];
                tap t = tap_of(x, y, job->u + 2 * image, centre);
                float a = pixel(plane, side, t.row, t.column);
                float b = pixel(plane, side, t.row, t.column + 1);
                float e = pixel(plane, side, t.row + 1, t.column);
                float f = pixel(plane, side, t.row + 1, t.column + 1);
                float along = dy * ((b - a) * (1 - t.down) + (f - e) * t.down);
                float across = dy * ((e - a) * (1 - t.right) + (f - b) * t.right);
                cosine += (double)(along * x + across * y);
                sine += (double)(across * x - along * y);
                if (!dx) continue;
                spread(dx, side, t.row, t.column, dy * (1 - t.down) * (1 - t.right));
                spread(dx, side, t.row, t.column + 1, dy * (1 - t.down) * t.right);
                spread(dx, side, t.row + 1, t.column, dy * t.down * (1 - t.right));
                spread(dx, side, t.row + 1, t.column + 1, dy * t.down * t.right);
            }
        }
        job->du[2 * image] = (float)cosine;
        job->du[2 * image + 1] = (float)sine;
    }
}

void ck_rotate_backward(ck_pool *pool, const float *x, const float *u, const float *dy, long batch,
                        long channels, long side, float *dx, float *du) {
    rotation_job job = {.x = x, .u = u, .dy = dy, .channels = channels, .side = side, .dx = dx,
                        .du = du};
    ck_parallel_for(pool, batch, 4096 / (channels * side * side + 1) + 1, backward_body, &job);
}
