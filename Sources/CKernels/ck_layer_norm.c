// Layer and l2 normalisation and the gated residual: everything that works on rows of channels.
// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>
#include <string.h>

#include "ck_math.h"
#include "ck_micro.h"
#include "ck_normalization.h"
#include "ck_sums.h"

typedef struct {
    const float *x, *dy, *branch, *gain, *shift;
    float *y, *mean, *rstd, *dx, *dgain, *dshift;
    long rows, width, share, slabs;
    float offset, epsilon;
} row_job;

// Rows that are worth waking a worker for.
static long row_grain(long width) { return 8192 / (width + 1) + 1; }

CK_KERNEL static void layer_forward(void *raw, long begin, long end, int worker) {
    (void)worker;
    const row_job *job = raw;
    long n = job->width;
    for (long r = begin; r < end; r++) {
        const float *x = job->x + r * n;
        float *y = job->y + r * n;
        double sum, squares;
        CK_SUM(sum, n, x[i]);
        float mean = (float)(sum / (double)n);
        CK_SUM(squares, n, (x[i] - mean) * (x[i] - mean));
        float rstd = (float)(1.0 / sqrt(squares / (double)n + job->epsilon));
        job->mean[r] = mean;
        job->rstd[r] = rstd;
        const float *gain = job->gain ? job->gain + r / job->share * n : NULL;
        const float *shift = job->shift ? job->shift + r / job->share * n : NULL;
        float offset = job->offset;
        if (gain && shift)
            for (long i = 0; i < n; i++)
                y[i] = (x[i] - mean) * rstd * (offset + gain[i]) + shift[i];
        else if (gain)
            for (long i = 0; i < n; i++) y[i] = (x[i] - mean) * rstd * (offset + gain[i]);
        else if (shift)
            for (long i = 0; i < n; i++) y[i] = (x[i] - mean) * rstd + shift[i];
        else
            for (long i = 0; i < n; i++) y[i] = (x[i] - mean) * rstd;
    }
}

void ck_layer_norm_forward(ck_pool *pool, const float *x, long rows, long width, const float *gain,
                           float offset, const float *shift, long share, float epsilon, float *y,
                           float *mean, float *rstd) {
    row_job job = {.x = x, .gain = gain, .shift = shift, .y = y, .mean = mean, .rstd = rstd,
                   .rows = rows, .width = width, .share = share, .offset = offset,
                   .epsilon = epsilon};
    ck_parallel_for(pool, rows, row_grain(width), layer_forward, &job);
}

// dx of the rows [begin, end); adds into dgain and dshift if they are there.
CK_INLINE void layer_backward_rows(const row_job *job, long begin, long end, float *dgain,
                                   float *dshift) {
    long n = job->width;
    for (long r = begin; r < end; r++) {
        const float *x = job->x + r * n, *dy = job->dy + r * n;
        float *dx = job->dx + r * n, mean = job->mean[r], rstd = job->rstd[r];
        const float *gain = job->gain ? job->gain + r / job->share * n : NULL;
        float offset = job->offset;
        if (gain)
            for (long i = 0; i < n; i++) dx[i] = dy[i] * (offset + gain[i]);
        else
            for (long i = 0; i < n; i++) dx[i] = dy[i];
        double sum, product;
        CK_SUM(sum, n, dx[i]);
        CK_SUM(product, n, dx[i] * (x[i] - mean));
        float a = (float)(sum / (double)n);
        float b = (float)(product / (double)n) * rstd * rstd;
        for (long i = 0; i < n; i++) dx[i] = rstd * (dx[i] - a - (x[i] - mean) * b);
        if (dgain)
            for (long i = 0; i < n; i++) dgain[i] += dy[i] * ((x[i] - mean) * rstd);
        if (dshift)
            for (long i = 0; i < n; i++) dshift[i] += dy[i];
    }
}

// A task is one slab of the rows that share a gain; its sums go to its own row of dgain and dshift.
CK_KERNEL static void layer_backward(void *raw, long begin, long end, int worker) {
    (void)worker;
    const row_job *job = raw;
    size_t bytes = sizeof(float) * (size_t)job->width;
    for (long task = begin; task < end; task++) {
        long group = task / job->slabs, slab = task % job->slabs;
        float *dgain = job->dgain ? job->dgain + task * job->width : NULL;
        float *dshift = job->dshift ? job->dshift + task * job->width : NULL;
        if (dgain) memset(dgain, 0, bytes);
        if (dshift) memset(dshift, 0, bytes);
        long first = group * job->share;
        layer_backward_rows(job, first + job->share * slab / job->slabs,
                            first + job->share * (slab + 1) / job->slabs, dgain, dshift);
    }
}

// The number of slabs depends on the shape alone, so that sums don't change with the threads.
static long slab_count(long share) { return share >= 64 ? 8 : 1; }

static void add_slabs(const float *partial, long groups, long slabs, long width, float *out) {
    for (long g = 0; g < groups; g++) {
        float *to = out + g * width;
        memcpy(to, partial + g * slabs * width, sizeof(float) * (size_t)width);
        for (long s = 1; s < slabs; s++)
            for (long i = 0; i < width; i++) to[i] += partial[(g * slabs + s) * width + i];
    }
}

void ck_layer_norm_backward(ck_pool *pool, const float *x, const float *dy, long rows, long width,
                            const float *gain, float offset, long share, const float *mean,
                            const float *rstd, float *dx, float *dgain, float *dshift) {
    if (rows == 0) return;
    long groups = rows / share, slabs = slab_count(share), size = groups * slabs * width;
    row_job job = {.x = x, .dy = dy, .gain = gain, .mean = (float *)mean, .rstd = (float *)rstd,
                   .dx = dx, .dgain = dgain, .dshift = dshift, .rows = rows, .width = width,
                   .share = share, .slabs = slabs, .offset = offset};
    float *partial = slabs > 1 ? ck_allocate(2 * size * (long)sizeof(float)) : NULL;
    if (partial && dgain) job.dgain = partial;
    if (partial && dshift) job.dshift = partial + size;
    long grain = row_grain(width * (share / slabs + 1));
    ck_parallel_for(pool, groups * slabs, grain, layer_backward, &job);
    if (partial && dgain) add_slabs(job.dgain, groups, slabs, width, dgain);
    if (partial && dshift) add_slabs(job.dshift, groups, slabs, width, dshift);
    free(partial);
}

// MARK: Gated residual

CK_KERNEL static void gated_forward(void *raw, long begin, long end, int worker) {
    (void)worker;
    const row_job *job = raw;
    long n = job->width;
    for (long r = begin; r < end; r++) {
        const float *x = job->x + r * n, *branch = job->branch + r * n;
        const float *gate = job->gain + r / job->share * n;
        float *y = job->y + r * n;
        for (long i = 0; i < n; i++) y[i] = x[i] + branch[i] * gate[i];
    }
}

void ck_gated_residual_forward(ck_pool *pool, const float *x, const float *branch,
                               const float *gate, long rows, long width, long share, float *y) {
    row_job job = {.x = x, .branch = branch, .gain = gate, .y = y, .rows = rows, .width = width,
                   .share = share};
    ck_parallel_for(pool, rows, row_grain(width), gated_forward, &job);
}

CK_KERNEL static void gated_backward(void *raw, long begin, long end, int worker) {
    (void)worker;
    const row_job *job = raw;
    long n = job->width;
    for (long group = begin; group < end; group++) {
        const float *gate = job->gain + group * n;
        float *dgate = job->dgain + group * n;
        memset(dgate, 0, sizeof(float) * (size_t)n);
        for (long r = group * job->share; r < (group + 1) * job->share; r++) {
            const float *dy = job->dy + r * n, *branch = job->branch + r * n;
            float *dbranch = job->dx + r * n;
            for (long i = 0; i < n; i++) {
                dbranch[i] = dy[i] * gate[i];
                dgate[i] += dy[i] * branch[i];
            }
        }
    }
}

void ck_gated_residual_backward(ck_pool *pool, const float *dy, const float *branch,
                                const float *gate, long rows, long width, long share,
                                float *dbranch, float *dgate) {
    if (rows == 0) return;
    row_job job = {.dy = dy, .branch = branch, .gain = gate, .dx = dbranch, .dgain = dgate,
                   .rows = rows, .width = width, .share = share};
    ck_parallel_for(pool, rows / share, row_grain(width * share), gated_backward, &job);
}

// MARK: l2

CK_KERNEL static void l2_forward(void *raw, long begin, long end, int worker) {
    (void)worker;
    const row_job *job = raw;
    long n = job->width;
    for (long r = begin; r < end; r++) {
        const float *x = job->x + r * n;
        float *y = job->y + r * n;
        double squares;
        CK_SUM(squares, n, x[i] * x[i]);
        float norm = (float)sqrt(squares);
        norm = norm > job->epsilon ? norm : job->epsilon;
        job->rstd[r] = norm;
        float scale = 1.0f / norm;
        for (long i = 0; i < n; i++) y[i] = x[i] * scale;
    }
}

void ck_l2_norm_forward(ck_pool *pool, const float *x, long rows, long width, float epsilon,
                        float *y, float *norm) {
    row_job job = {.x = x, .y = y, .rstd = norm, .rows = rows, .width = width, .epsilon = epsilon};
    ck_parallel_for(pool, rows, row_grain(width), l2_forward, &job);
}

CK_KERNEL static void l2_backward(void *raw, long begin, long end, int worker) {
    (void)worker;
    const row_job *job = raw;
    long n = job->width;
    for (long r = begin; r < end; r++) {
        const float *y = job->x + r * n, *dy = job->dy + r * n;
        float *dx = job->dx + r * n, scale = 1.0f / job->rstd[r];
        double product = 0;
        // Below epsilon the divisor is a constant.
        if (job->rstd[r] > job->epsilon) CK_SUM(product, n, y[i] * dy[i]);
        float along = (float)product;
        for (long i = 0; i < n; i++) dx[i] = (dy[i] - y[i] * along) * scale;
    }
}

void ck_l2_norm_backward(ck_pool *pool, const float *y, const float *dy, const float *norm,
                         long rows, long width, float epsilon, float *dx) {
    row_job job = {.x = y, .dy = dy, .rstd = (float *)norm, .dx = dx, .rows = rows, .width = width,
                   .epsilon = epsilon};
    ck_parallel_for(pool, rows, row_grain(width), l2_backward, &job);
}
