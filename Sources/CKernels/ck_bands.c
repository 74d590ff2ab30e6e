// A convolution of a large picture by bands of rows, so that its activated input is never whole.
// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>
#include <string.h>

#include "ck_convolution.h"
#include "ck_math.h"
#include "ck_memory.h"
#include "ck_planes.h"
#include "ck_winograd_transforms.h"

typedef struct {
    const float *x, *scale, *shift;
    long plane, count;
    float *to;
} activation_job;

CK_KERNEL static void activate_body(void *raw, long begin, long end, int worker) {
    (void)worker;
    const activation_job *job = raw;
    for (long c = begin; c < end; c++)
        ck_activate_row(job->to + c * job->count, job->x + c * job->plane, job->count,
                        job->scale[c], job->shift[c]);
}

void ck_activated_bands(ck_pool *pool, const ck_convolution *s, const float *x, const float *scale,
                        const float *shift, const float *w, const float *bias, long rows,
                        float *y) {
    long halo = s->kernel_height / 2, plane = s->height * s->width;
    float *inputs =
        ck_allocate(s->channels * (rows + 2 * halo) * s->width * (long)sizeof(float));
    float *sums = ck_allocate(s->outputs * rows * s->width * (long)sizeof(float));
    for (long image = 0; image < s->batch; image++)
        for (long from = 0; from < s->height; from += rows) {
            long to = ck_min(from + rows, s->height);
            long begin = ck_max(from - halo, 0), end = ck_min(to + halo, s->height);
            activation_job activation = {
                .x = x + image * s->channels * plane + begin * s->width,
                .scale = scale + image * s->channels, .shift = shift + image * s->channels,
                .plane = plane, .count = (end - begin) * s->width, .to = inputs};
            ck_parallel_for(pool, s->channels, 1, activate_body, &activation);
            ck_convolution shape = *s;
            shape.batch = 1;
            shape.height = end - begin;
            shape.out_height = to - from;
            shape.top = halo - (from - begin);
            ck_convolution_forward(pool, &shape, inputs, w, bias, sums);
            for (long o = 0; o < s->outputs; o++)
                memcpy(y + (image * s->outputs + o) * plane + from * s->width,
                       sums + o * (to - from) * s->width,
                       sizeof(float) * (size_t)((to - from) * s->width));
        }
    free(sums);
    free(inputs);
}
