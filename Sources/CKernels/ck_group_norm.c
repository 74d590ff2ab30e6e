// Group normalisation with an optional SiLU behind it. SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>

#include "ck_math.h"
#include "ck_micro.h"
#include "ck_normalization.h"
#include "ck_sums.h"

typedef struct {
    const float *x, *dy, *weight, *bias;
    float *y, *mean, *rstd, *dx, *dweight, *dbias;
    long batch, channels, pixels, groups;
    float epsilon;
    int silu;
} group_job;

// Writes a group's mean and 1/σ and returns the first value of the group.
CK_INLINE const float *group_moments(const group_job *job, long task) {
    long n = job->channels / job->groups * job->pixels;
    const float *x = job->x + task * n;
    double sum, squares;
    CK_SUM(sum, n, x[i]);
    float mean = (float)(sum / (double)n);
    CK_SUM(squares, n, (x[i] - mean) * (x[i] - mean));
    job->mean[task] = mean;
    job->rstd[task] = (float)(1.0 / sqrt(squares / (double)n + job->epsilon));
    return x;
}

CK_INLINE void forward_group(const group_job *job, long task) {
    long width = job->channels / job->groups;
    long first = task % job->groups * width;
    const float *x = group_moments(job, task);
    float mean = job->mean[task], rstd = job->rstd[task];
    for (long c = 0; c < width; c++) {
        float scale = rstd * job->weight[first + c];
        float shift = job->bias[first + c] - mean * scale;
        const float *from = x + c * job->pixels;
        float *to = job->y + (task * width + c) * job->pixels;
        if (job->silu)
            for (long i = 0; i < job->pixels; i++) {
                float z = from[i] * scale + shift;
                to[i] = z * ck_sigmoidf(z);
            }
        else
            for (long i = 0; i < job->pixels; i++) to[i] = from[i] * scale + shift;
    }
}

CK_KERNEL static void forward_body(void *raw, long begin, long end, int worker) {
    (void)worker;
    for (long task = begin; task < end; task++) forward_group(raw, task);
}

void ck_group_norm_forward(ck_pool *pool, const float *x, const float *weight, const float *bias,
                           long batch, long channels, long pixels, long groups, float epsilon,
                           int silu, float *y, float *mean, float *rstd) {
    group_job job = {.x = x, .weight = weight, .bias = bias, .y = y, .mean = mean, .rstd = rstd,
                     .batch = batch, .channels = channels, .pixels = pixels, .groups = groups,
                     .epsilon = epsilon, .silu = silu};
    long grain = 16384 / (channels / groups * pixels + 1) + 1;
    ck_parallel_for(pool, batch * groups, grain, forward_body, &job);
}

CK_KERNEL static void moments_body(void *raw, long begin, long end, int worker) {
    (void)worker;
    for (long task = begin; task < end; task++) group_moments(raw, task);
}

void ck_group_norm_map(ck_pool *pool, const float *x, const float *weight, const float *bias,
                       long batch, long channels, long pixels, long groups, float epsilon,
                       float *scale, float *shift) {
    float *moments = ck_allocate(2 * batch * groups * (long)sizeof(float));
    group_job job = {.x = x, .mean = moments, .rstd = moments + batch * groups, .batch = batch,
                     .channels = channels, .pixels = pixels, .groups = groups,
                     .epsilon = epsilon};
    long width = channels / groups, grain = 32768 / (width * pixels + 1) + 1;
    ck_parallel_for(pool, batch * groups, grain, moments_body, &job);
    for (long i = 0; i < batch * channels; i++) {
        scale[i] = job.rstd[i / width] * weight[i % channels];
        shift[i] = bias[i % channels] - job.mean[i / width] * scale[i];
    }
    free(moments);
}

CK_INLINE void backward_group(const group_job *job, long task) {
    long width = job->channels / job->groups, n = width * job->pixels;
    long image = task / job->groups, first = task % job->groups * width;
    float mean = job->mean[task], rstd = job->rstd[task];
    // Gradients behind the SiLU, channel by channel, kept in dx until the group's sums are known.
    double sum = 0, product = 0;
    for (long c = 0; c < width; c++) {
        long at = task * n + c * job->pixels;
        const float *x = job->x + at, *dy = job->dy + at;
        float *dz = job->dx + at;
        float w = job->weight[first + c], scale = rstd * w;
        float shift = job->bias[first + c] - mean * scale;
        if (job->silu)
            for (long i = 0; i < job->pixels; i++) {
                float z = x[i] * scale + shift, s = ck_sigmoidf(z);
                dz[i] = dy[i] * (s * (1.0f + z * (1.0f - s)));
            }
        else
            for (long i = 0; i < job->pixels; i++) dz[i] = dy[i];
        double dbias, dweight;
        CK_SUM(dbias, job->pixels, dz[i]);
        CK_SUM(dweight, job->pixels, dz[i] * (x[i] - mean));
        dweight *= rstd;
        job->dweight[image * job->channels + first + c] = (float)dweight;
        job->dbias[image * job->channels + first + c] = (float)dbias;
        sum += dbias * w;
        product += dweight * w;
    }
    float a = (float)(sum / (double)n), b = (float)(product / (double)n) * rstd;
    for (long c = 0; c < width; c++) {
        long at = task * n + c * job->pixels;
        const float *x = job->x + at;
        float *dx = job->dx + at, w = job->weight[first + c];
        for (long i = 0; i < job->pixels; i++)
            dx[i] = rstd * (w * dx[i] - a - (x[i] - mean) * b);
    }
}

CK_KERNEL static void backward_body(void *raw, long begin, long end, int worker) {
    (void)worker;
    for (long task = begin; task < end; task++) backward_group(raw, task);
}

void ck_group_norm_backward(ck_pool *pool, const float *x, const float *dy, const float *weight,
                            const float *bias, const float *mean, const float *rstd, long batch,
                            long channels, long pixels, long groups, int silu, float *dx,
                            float *dweight, float *dbias) {
    float *partial = ck_allocate(2 * batch * channels * (long)sizeof(float));
    group_job job = {.x = x, .dy = dy, .weight = weight, .bias = bias, .mean = (float *)mean,
                     .rstd = (float *)rstd, .dx = dx, .dweight = partial,
                     .dbias = partial + batch * channels, .batch = batch, .channels = channels,
                     .pixels = pixels, .groups = groups, .silu = silu};
    long grain = 8192 / (channels / groups * pixels + 1) + 1;
    ck_parallel_for(pool, batch * groups, grain, backward_body, &job);
    for (long c = 0; c < channels; c++) {
        double w = 0, b = 0;
        for (long image = 0; image < batch; image++) {
            w += job.dweight[image * channels + c];
            b += job.dbias[image * channels + c];
        }
        dweight[c] = (float)w;
        dbias[c] = (float)b;
    }
    free(partial);
}
