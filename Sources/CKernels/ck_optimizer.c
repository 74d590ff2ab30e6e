// AdamW and moving averages. SPDX-License-Identifier: Apache-2.0
#include "ck_optimizer.h"

#include "ck_math.h"

typedef struct {
    float *w;
    const float *g;
    float *m, *v;
    float scale, rate, beta1, beta2, epsilon, decay, c1, c2;
} adamw_job;

CK_KERNEL static void adamw_range(void *raw, long begin, long end, int worker) {
    (void)worker;
    const adamw_job *j = raw;
    float *restrict w = j->w, *restrict m = j->m, *restrict v = j->v;
    const float *restrict g = j->g;
    const float keep = 1.0f - j->rate * j->decay, step = j->rate / j->c1, root = 1.0f / sqrtf(j->c2);
    for (long i = begin; i < end; i++) {
        float gi = g[i] * j->scale;
        float mi = j->beta1 * m[i] + (1.0f - j->beta1) * gi;
        float vi = j->beta2 * v[i] + (1.0f - j->beta2) * gi * gi;
        m[i] = mi;
        v[i] = vi;
        w[i] = w[i] * keep - step * mi / (sqrtf(vi) * root + j->epsilon);
    }
}

void ck_adamw_f32(ck_pool *pool, float *w, const float *g, float *m, float *v, long n,
                  float gradient_scale, float learning_rate, float beta1, float beta2,
                  float epsilon, float weight_decay, float correction1, float correction2) {
    adamw_job job = {w, g, m, v, gradient_scale, learning_rate, beta1, beta2,
                     epsilon, weight_decay, correction1, correction2};
    ck_parallel_for(pool, n, 16384, adamw_range, &job);
}

typedef struct {
    float *average;
    const float *value;
    float decay;
} average_job;

CK_KERNEL static void average_range(void *raw, long begin, long end, int worker) {
    (void)worker;
    const average_job *j = raw;
    float *restrict a = j->average;
    const float *restrict v = j->value;
    for (long i = begin; i < end; i++) a[i] += (1.0f - j->decay) * (v[i] - a[i]);
}

void ck_moving_average_f32(ck_pool *pool, float *average, const float *value, long n, float decay) {
    average_job job = {average, value, decay};
    ck_parallel_for(pool, n, 16384, average_range, &job);
}
