// Attention by tiles with an online softmax (Milakov & Gimelshein, arXiv 1805.02867; Dao et al.,
// arXiv 2205.14135). Scores are held transposed, keys by queries: maxima and sums then run along
// whole vectors of queries, and neither k nor v is ever rearranged.
// SPDX-License-Identifier: Apache-2.0
#include "ck_attention.h"

#include <string.h>

#include "ck_math.h"
#include "ck_micro.h"

enum { QUERIES = 48, KEYS = 64 };
enum { QT, OUT, SCORES, GRADS, Q_ROWS, O_ROWS, DK, DV };  // scratch slots

typedef struct {
    const ck_attention *shape;
    const float *q, *k, *v, *o, *d_o, *logsumexp;
    float *out, *out_logsumexp, *dq, *dk, *dv;
    ck_rows dq_rows, dk_rows;
    long tiles;
} attention_job;

// The keys that any of `count` queries from `first` on can see.
static void visible(const ck_attention *s, long first, long count, long *low, long *high) {
    *low = 0;
    *high = s->keys;
    if (!s->start) return;
    *low = s->keys;
    *high = 0;
    for (long l = first; l < first + count; l++) {
        if (s->start[l] >= s->end[l]) continue;
        if (s->start[l] < *low) *low = s->start[l];
        if (s->end[l] > *high) *high = s->end[l];
    }
}

// out[d·width + l] = scale · rows[l·stride + d]; columns from `count` on are zeros.
CK_KERNEL static void transpose_rows(const float *rows, long stride, long count, long dim,
                                     float scale, long width, float *out) {
    for (long l = 0; l < count; l++)
        for (long d = 0; d < dim; d++) out[d * width + l] = scale * rows[l * stride + d];
    for (long l = count; l < width; l++)
        for (long d = 0; d < dim; d++) out[d * width + l] = 0;
}

// Scores outside a query's interval become −∞.
CK_KERNEL static void mask_scores(const ck_attention *s, float *scores, long width, long first,
                                  long count, long key, long keys) {
    if (!s->start) return;
    int32_t start[QUERIES], end[QUERIES];
    int inside = 1;
    for (long l = 0; l < width; l++) {
        start[l] = l < count ? s->start[first + l] : 0;
        end[l] = l < count ? s->end[first + l] : (int32_t)s->keys;
        inside &= start[l] <= key && end[l] >= key + keys;
    }
    if (inside) return;
    for (long j = 0; j < keys; j++) {
        int32_t at = (int32_t)(key + j);
        float *row = scores + j * width;
        for (long l = 0; l < width; l++)
            row[l] = at >= start[l] && at < end[l] ? row[l] : -INFINITY;
    }
}

// One step of the online softmax over `keys` rows of scores; out [dim][width] is rescaled.
CK_KERNEL static void online_softmax(float *scores, long width, long keys, float *largest,
                                     float *total, float *out, long dim) {
    float next[QUERIES], factor[QUERIES], sum[QUERIES];
    for (long l = 0; l < width; l++) next[l] = largest[l];
    for (long j = 0; j < keys; j++)
        for (long l = 0; l < width; l++) {
            float x = scores[j * width + l];
            next[l] = next[l] > x ? next[l] : x;
        }
    for (long l = 0; l < width; l++) {
        // A row that has seen nothing yet: any finite reference gives e^−∞ = 0.
        float reference = next[l] == -INFINITY ? 0 : next[l];
        factor[l] = ck_expf(largest[l] - reference);
        largest[l] = next[l];
        next[l] = reference;
        sum[l] = 0;
    }
    for (long j = 0; j < keys; j++)
        for (long l = 0; l < width; l++) {
            float p = ck_expf(scores[j * width + l] - next[l]);
            scores[j * width + l] = p;
            sum[l] += p;
        }
    for (long l = 0; l < width; l++) total[l] = total[l] * factor[l] + sum[l];
    for (long d = 0; d < dim; d++)
        for (long l = 0; l < width; l++) out[d * width + l] *= factor[l];
}

CK_KERNEL static void store_rows(const float *columns, const float *factor, long width, long count,
                                 long dim, float *rows, long stride) {
    for (long l = 0; l < count; l++)
        for (long d = 0; d < dim; d++) rows[l * stride + d] = columns[d * width + l] * factor[l];
}

static void forward_body(void *raw, long begin, long end, int worker) {
    (void)worker;
    const attention_job *job = raw;
    const ck_attention *s = job->shape;
    for (long task = begin; task < end; task++) {
        long first = task % job->tiles * QUERIES, pair = task / job->tiles;
        long b = pair / s->heads, h = pair % s->heads;
        long count = s->queries - first < QUERIES ? s->queries - first : QUERIES;
        long width = CK_ROUND_UP(count);
        const float *q = job->q + b * s->q_rows.batch + h * s->q_rows.head;
        const float *k = job->k + b * s->k_rows.batch + h * s->k_rows.head;
        const float *v = job->v + b * s->v_rows.batch + h * s->v_rows.head;
        float *qt = ck_scratch(QT, s->dim * QUERIES), *out = ck_scratch(OUT, s->dim * QUERIES);
        float *scores = ck_scratch(SCORES, KEYS * QUERIES);
        transpose_rows(q + first * s->q_rows.row, s->q_rows.row, count, s->dim, s->scale, width, qt);
        memset(out, 0, sizeof(float) * (size_t)(s->dim * width));
        float largest[QUERIES], total[QUERIES], factor[QUERIES];
        for (long l = 0; l < QUERIES; l++) {
            largest[l] = -INFINITY;
            total[l] = 0;
        }
        long low, high;
        visible(s, first, count, &low, &high);
        for (long key = low; key < high; key += KEYS) {
            long keys = high - key < KEYS ? high - key : KEYS;
            ck_product(keys, width, s->dim, k + key * s->k_rows.row, s->k_rows.row, 1, qt, width,
                       scores, width, 0);
            mask_scores(s, scores, width, first, count, key, keys);
            online_softmax(scores, width, keys, largest, total, out, s->dim);
            ck_product(s->dim, width, keys, v + key * s->v_rows.row, 1, s->v_rows.row, scores,
                       width, out, width, 1);
        }
        for (long l = 0; l < count; l++) {
            factor[l] = total[l] > 0 ? 1.0f / total[l] : 0;
            job->out_logsumexp[pair * s->queries + first + l] =
                total[l] > 0 ? largest[l] + logf(total[l]) : -INFINITY;
        }
        store_rows(out, factor, width, count, s->dim,
                   job->out + b * s->o_rows.batch + h * s->o_rows.head + first * s->o_rows.row,
                   s->o_rows.row);
    }
}

void ck_attention_forward(ck_pool *pool, const ck_attention *s, const float *q, const float *k,
                          const float *v, float *o, float *logsumexp) {
    attention_job job = {.shape = s, .q = q, .k = k, .v = v, .out = o, .out_logsumexp = logsumexp};
    job.tiles = (s->queries + QUERIES - 1) / QUERIES;
    long grain = 200000 / (QUERIES * s->keys * s->dim + 1) + 1;
    ck_parallel_for(pool, s->batch * s->heads * job.tiles, grain, forward_body, &job);
}

// MARK: Backward

// Copies rows to a dense block of `padded` columns, zeros behind.
CK_KERNEL static void pack_rows(const float *rows, long stride, long count, long dim, long padded,
                                float *out) {
    for (long l = 0; l < count; l++) {
        for (long d = 0; d < dim; d++) out[l * padded + d] = rows[l * stride + d];
        for (long d = dim; d < padded; d++) out[l * padded + d] = 0;
    }
}

// From raw scores to weights.
CK_KERNEL static void weights_from_scores(float *scores, long width, long keys, float scale,
                                          const float *reference) {
    for (long j = 0; j < keys; j++)
        for (long l = 0; l < width; l++)
            scores[j * width + l] = ck_expf(scores[j * width + l] * scale - reference[l]);
}

// dS = P · (dP − delta) · scale, in place of dP.
CK_KERNEL static void score_gradients(const float *weights, float *grads, long width, long keys,
                                      float scale, const float *delta) {
    for (long j = 0; j < keys; j++)
        for (long l = 0; l < width; l++) {
            long at = j * width + l;
            grads[at] = weights[at] * (grads[at] - delta[l]) * scale;
        }
}

CK_KERNEL static void add_row_products(const float *o, const float *d_o, long stride, long count,
                                       long dim, float *delta) {
    for (long l = 0; l < count; l++) {
        float lanes[16] = {0}, sum = 0;
        long d = 0;
        for (; d + 16 <= dim; d += 16)
            for (int i = 0; i < 16; i++)
                lanes[i] += o[l * stride + d + i] * d_o[l * stride + d + i];
        for (; d < dim; d++) sum += o[l * stride + d] * d_o[l * stride + d];
        for (int i = 0; i < 16; i++) sum += lanes[i];
        delta[l] = sum;
    }
}

static void backward_body(void *raw, long begin, long end, int worker) {
    (void)worker;
    const attention_job *job = raw;
    const ck_attention *s = job->shape;
    long padded = CK_ROUND_UP(s->dim);
    for (long pair = begin; pair < end; pair++) {
        long b = pair / s->heads, h = pair % s->heads;
        const float *q = job->q + b * s->q_rows.batch + h * s->q_rows.head;
        const float *k = job->k + b * s->k_rows.batch + h * s->k_rows.head;
        const float *v = job->v + b * s->v_rows.batch + h * s->v_rows.head;
        const float *o = job->o + b * s->o_rows.batch + h * s->o_rows.head;
        const float *d_o = job->d_o + b * s->o_rows.batch + h * s->o_rows.head;
        float *qt = ck_scratch(QT, 2 * s->dim * QUERIES), *ot = qt + s->dim * QUERIES;
        float *dqt = ck_scratch(OUT, s->dim * QUERIES);
        float *scores = ck_scratch(SCORES, KEYS * QUERIES);
        float *grads = ck_scratch(GRADS, KEYS * QUERIES);
        float *q_rows = ck_scratch(Q_ROWS, padded * QUERIES);
        float *o_rows = ck_scratch(O_ROWS, padded * QUERIES);
        float *dk = ck_scratch(DK, padded * s->keys + 1), *dv = ck_scratch(DV, padded * s->keys + 1);
        memset(dk, 0, sizeof(float) * (size_t)(padded * s->keys));
        memset(dv, 0, sizeof(float) * (size_t)(padded * s->keys));
        for (long first = 0; first < s->queries; first += QUERIES) {
            long count = s->queries - first < QUERIES ? s->queries - first : QUERIES;
            long width = CK_ROUND_UP(count);
            const float *ql = q + first * s->q_rows.row;
            const float *ol = d_o + first * s->o_rows.row;
            transpose_rows(ql, s->q_rows.row, count, s->dim, 1, width, qt);
            transpose_rows(ol, s->o_rows.row, count, s->dim, 1, width, ot);
            pack_rows(ql, s->q_rows.row, count, s->dim, padded, q_rows);
            pack_rows(ol, s->o_rows.row, count, s->dim, padded, o_rows);
            memset(dqt, 0, sizeof(float) * (size_t)(s->dim * width));
            float reference[QUERIES] = {0}, delta[QUERIES] = {0}, one[QUERIES];
            add_row_products(o + first * s->o_rows.row, ol, s->o_rows.row, count, s->dim, delta);
            for (long l = 0; l < QUERIES; l++) one[l] = 1;
            for (long l = 0; l < count; l++) {
                float sum = job->logsumexp[pair * s->queries + first + l];
                reference[l] = sum == -INFINITY ? 0 : sum;
            }
            long low, high;
            visible(s, first, count, &low, &high);
            for (long key = low; key < high; key += KEYS) {
                long keys = high - key < KEYS ? high - key : KEYS;
                const float *kj = k + key * s->k_rows.row, *vj = v + key * s->v_rows.row;
                ck_product(keys, width, s->dim, kj, s->k_rows.row, 1, qt, width, scores, width, 0);
                mask_scores(s, scores, width, first, count, key, keys);
                weights_from_scores(scores, width, keys, s->scale, reference);
                ck_product(keys, width, s->dim, vj, s->v_rows.row, 1, ot, width, grads, width, 0);
                score_gradients(scores, grads, width, keys, s->scale, delta);
                ck_product(keys, s->dim, count, scores, width, 1, o_rows, padded,
                           dv + key * padded, padded, 1);
                ck_product(keys, s->dim, count, grads, width, 1, q_rows, padded, dk + key * padded,
                           padded, 1);
                ck_product(s->dim, width, keys, kj, 1, s->k_rows.row, grads, width, dqt, width, 1);
            }
            store_rows(dqt, one, width, count, s->dim,
                       job->dq + b * job->dq_rows.batch + h * job->dq_rows.head +
                           first * job->dq_rows.row,
                       job->dq_rows.row);
        }
        size_t bytes = sizeof(float) * (size_t)s->dim;
        long at = b * job->dk_rows.batch + h * job->dk_rows.head;
        for (long j = 0; j < s->keys; j++, at += job->dk_rows.row) {
            memcpy(job->dk + at, dk + j * padded, bytes);
            memcpy(job->dv + at, dv + j * padded, bytes);
        }
    }
}

void ck_attention_backward(ck_pool *pool, const ck_attention *s, const float *q, const float *k,
                           const float *v, const float *o, const float *do_,
                           const float *logsumexp, float *dq, ck_rows dq_rows, float *dk, float *dv,
                           ck_rows dk_rows) {
    attention_job job = {.shape = s, .q = q, .k = k, .v = v, .o = o, .d_o = do_,
                         .logsumexp = logsumexp, .dq = dq, .dk = dk, .dv = dv, .dq_rows = dq_rows,
                         .dk_rows = dk_rows};
    // A head is one task: its dk and dv are sums over all queries.
    ck_parallel_for(pool, s->batch * s->heads, 1, backward_body, &job);
}
