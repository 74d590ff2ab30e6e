// Keeping the best of many scores. SPDX-License-Identifier: Apache-2.0
#include "ck_neighbours.h"

#include "ck_math.h"

enum { LANES = 64 };

typedef struct {
    const float *scores, *bias;
    long columns, first_column, own_column, k;
    float *best;
    int32_t *index;
} best_job;

// Nearly every score is below the worst one kept: the common path is one comparison a lane.
CK_KERNEL static int any_above(const float *scores, const float *bias, float threshold) {
    int found = 0;
    if (bias)
        for (long i = 0; i < LANES; i++) found |= scores[i] + bias[i] > threshold;
    else
        for (long i = 0; i < LANES; i++) found |= scores[i] > threshold;
    return found;
}

static void insert(float *best, int32_t *index, long k, float score, long column) {
    long place = k - 1;
    while (place > 0 && best[place - 1] < score) {
        best[place] = best[place - 1];
        index[place] = index[place - 1];
        place--;
    }
    best[place] = score;
    index[place] = (int32_t)column;
}

static void best_body(void *raw, long begin, long end, int worker) {
    (void)worker;
    const best_job *job = raw;
    for (long r = begin; r < end; r++) {
        const float *scores = job->scores + r * job->columns;
        float *best = job->best + r * job->k;
        int32_t *index = job->index + r * job->k;
        long own = job->own_column < 0 ? -1 : job->own_column + r - job->first_column;
        for (long start = 0; start < job->columns; start += LANES) {
            long stop = start + LANES < job->columns ? start + LANES : job->columns;
            const float *bias = job->bias ? job->bias + start : 0;
            if (stop - start == LANES && !any_above(scores + start, bias, best[job->k - 1]))
                continue;
            for (long i = start; i < stop; i++) {
                float score = job->bias ? scores[i] + job->bias[i] : scores[i];
                if (score > best[job->k - 1] && i != own)
                    insert(best, index, job->k, score, job->first_column + i);
            }
        }
    }
}

void ck_keep_best(ck_pool *pool, const float *scores, const float *bias, long rows, long columns,
                  long first_column, long own_column, long k, float *best, int32_t *index) {
    best_job job = {.scores = scores, .bias = bias, .columns = columns,
                    .first_column = first_column, .own_column = own_column, .k = k, .best = best,
                    .index = index};
    ck_parallel_for(pool, rows, 16, best_body, &job);
}
