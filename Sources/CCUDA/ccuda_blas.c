// Matrix products by cuBLASLt. SPDX-License-Identifier: Apache-2.0
#include "ccuda_internal.h"
#include <stdlib.h>

#define CCUDA_BLAS_CALL(symbol, ...) CCUDA_REQUIRE(CCUDA_BLAS, symbol, int, __VA_ARGS__)

// Values of the library's enumerations.
enum {
    COMPUTE_F32 = 68,
    LAYOUT_BATCH_COUNT = 5,
    LAYOUT_BATCH_STRIDE = 6,
    DESCRIPTION_TRANSPOSE_A = 3,
    DESCRIPTION_TRANSPOSE_B = 4,
    DESCRIPTION_EPILOGUE = 7,
    DESCRIPTION_BIAS_POINTER = 8,
    DESCRIPTION_INPUT_POINTER = 11,
    DESCRIPTION_INPUT_LEADING = 12,
    DESCRIPTION_BIAS_TYPE = 26,
    EPILOGUE_BIAS = 4,
    EPILOGUE_BIAS_GELU = 36,
    EPILOGUE_BIAS_GELU_INPUT = 164,
    PREFERENCE_WORKSPACE = 1,
    PREFERENCE_ALIGNMENT_A = 5,
    PREFERENCE_ALIGNMENT_D = 8,
    STATUS_NOT_SUPPORTED = 15,
};

typedef struct { uint64_t data[8]; } algorithm;

typedef struct {
    algorithm algo;
    size_t workspace;
    int state;
    float waves;
    int reserved[4];
} heuristic;

typedef struct {
    void *description, *a, *b, *d;
    heuristic best;
    int epilogue;
} plan;

int ccuda_blas_create(void **handle) {
    CCUDA_BLAS_CALL(cublasLtCreate, void **);
    return cublasLtCreate(handle);
}

int ccuda_blas_destroy(void *handle) {
    CCUDA_BLAS_CALL(cublasLtDestroy, void *);
    return cublasLtDestroy(handle);
}

size_t ccuda_blas_version(void) {
    size_t (*version)(void);
    *(void **)(&version) = ccuda_symbol(CCUDA_BLAS, "cublasLtGetVersion");
    return version ? version() : 0;
}

static int make_layout(
    void **layout, int type, int64_t rows, int64_t columns, int64_t leading, int32_t batch,
    int64_t stride) {
    CCUDA_BLAS_CALL(cublasLtMatrixLayoutCreate, void **, int, uint64_t, uint64_t, int64_t);
    CCUDA_BLAS_CALL(cublasLtMatrixLayoutSetAttribute, void *, int, const void *, size_t);
    int status = cublasLtMatrixLayoutCreate(
        layout, type, (uint64_t)rows, (uint64_t)columns, leading);
    if (status || batch <= 1) return status;
    status = cublasLtMatrixLayoutSetAttribute(*layout, LAYOUT_BATCH_COUNT, &batch, sizeof batch);
    if (status) return status;
    return cublasLtMatrixLayoutSetAttribute(*layout, LAYOUT_BATCH_STRIDE, &stride, sizeof stride);
}

static int describe(plan *p, const ccuda_product *product) {
    CCUDA_BLAS_CALL(cublasLtMatmulDescCreate, void **, int, int);
    CCUDA_BLAS_CALL(cublasLtMatmulDescSetAttribute, void *, int, const void *, size_t);
    int status = cublasLtMatmulDescCreate(&p->description, COMPUTE_F32, CCUDA_F32);
    int32_t a = product->transpose_a != 0, b = product->transpose_b != 0;
    if (!status)
        status = cublasLtMatmulDescSetAttribute(
            p->description, DESCRIPTION_TRANSPOSE_A, &a, sizeof a);
    if (!status)
        status = cublasLtMatmulDescSetAttribute(
            p->description, DESCRIPTION_TRANSPOSE_B, &b, sizeof b);
    static const uint32_t epilogues[] = {
        [CCUDA_BIAS] = EPILOGUE_BIAS,
        [CCUDA_BIAS_GELU] = EPILOGUE_BIAS_GELU,
        [CCUDA_BIAS_GELU_INPUT] = EPILOGUE_BIAS_GELU_INPUT,
    };
    if (!status && product->epilogue != CCUDA_PLAIN) {
        uint32_t epilogue = epilogues[product->epilogue];
        status = cublasLtMatmulDescSetAttribute(
            p->description, DESCRIPTION_EPILOGUE, &epilogue, sizeof epilogue);
        if (!status)
            status = cublasLtMatmulDescSetAttribute(
                p->description, DESCRIPTION_BIAS_TYPE, &product->type_d, sizeof product->type_d);
    }
    if (!status && product->epilogue == CCUDA_BIAS_GELU_INPUT)
        status = cublasLtMatmulDescSetAttribute(
            p->description, DESCRIPTION_INPUT_LEADING, &product->ldd, sizeof product->ldd);
    return status;
}

static int choose(void *handle, plan *p, size_t workspace, uint32_t alignment) {
    CCUDA_BLAS_CALL(cublasLtMatmulPreferenceCreate, void **);
    CCUDA_BLAS_CALL(cublasLtMatmulPreferenceDestroy, void *);
    CCUDA_BLAS_CALL(cublasLtMatmulPreferenceSetAttribute, void *, int, const void *, size_t);
    CCUDA_BLAS_CALL(
        cublasLtMatmulAlgoGetHeuristic, void *, void *, void *, void *, void *, void *, void *,
        int, heuristic *, int *);
    void *preference = NULL;
    int status = cublasLtMatmulPreferenceCreate(&preference);
    if (status) return status;
    status = cublasLtMatmulPreferenceSetAttribute(
        preference, PREFERENCE_WORKSPACE, &workspace, sizeof workspace);
    for (int i = PREFERENCE_ALIGNMENT_A; !status && i <= PREFERENCE_ALIGNMENT_D; ++i)
        status = cublasLtMatmulPreferenceSetAttribute(
            preference, i, &alignment, sizeof alignment);
    int found = 0;
    if (!status)
        status = cublasLtMatmulAlgoGetHeuristic(
            handle, p->description, p->a, p->b, p->d, p->d, preference, 1, &p->best, &found);
    cublasLtMatmulPreferenceDestroy(preference);
    if (!status && found == 0) status = STATUS_NOT_SUPPORTED;
    return status ? status : p->best.state;
}

int ccuda_plan_create(void *handle, const ccuda_product *x, size_t workspace, void **result) {
    plan *p = calloc(1, sizeof *p);
    *result = NULL;
    if (!p) return 3;
    p->epilogue = x->epilogue;
    int status = describe(p, x);
    if (!status)
        status = make_layout(
            &p->a, x->type_ab, x->transpose_a ? x->k : x->m, x->transpose_a ? x->m : x->k, x->lda,
            x->batch, x->stride_a);
    if (!status)
        status = make_layout(
            &p->b, x->type_ab, x->transpose_b ? x->n : x->k, x->transpose_b ? x->k : x->n, x->ldb,
            x->batch, x->stride_b);
    if (!status) status = make_layout(&p->d, x->type_d, x->m, x->n, x->ldd, x->batch, x->stride_d);
    if (!status) status = choose(handle, p, workspace, (uint32_t)x->alignment);
    if (status) {
        ccuda_plan_destroy(p);
        return status;
    }
    *result = p;
    return 0;
}

static int destroy_parts(plan *p) {
    CCUDA_BLAS_CALL(cublasLtMatrixLayoutDestroy, void *);
    CCUDA_BLAS_CALL(cublasLtMatmulDescDestroy, void *);
    if (p->a) cublasLtMatrixLayoutDestroy(p->a);
    if (p->b) cublasLtMatrixLayoutDestroy(p->b);
    if (p->d) cublasLtMatrixLayoutDestroy(p->d);
    if (p->description) cublasLtMatmulDescDestroy(p->description);
    return 0;
}

void ccuda_plan_destroy(void *p) {
    if (!p) return;
    destroy_parts(p);
    free(p);
}

int ccuda_plan_run(
    void *handle, void *chosen, float alpha, uint64_t a, uint64_t b, float beta, uint64_t bias,
    uint64_t input, uint64_t d, uint64_t workspace, size_t workspace_size, void *stream) {
    CCUDA_BLAS_CALL(
        cublasLtMatmul, void *, void *, const void *, const void *, void *, const void *, void *,
        const void *, const void *, void *, void *, void *, const void *, void *, size_t, void *);
    CCUDA_BLAS_CALL(cublasLtMatmulDescSetAttribute, void *, int, const void *, size_t);
    plan *p = chosen;
    int status = 0;
    if (p->epilogue != CCUDA_PLAIN)
        status = cublasLtMatmulDescSetAttribute(
            p->description, DESCRIPTION_BIAS_POINTER, &bias, sizeof bias);
    if (!status && p->epilogue == CCUDA_BIAS_GELU_INPUT)
        status = cublasLtMatmulDescSetAttribute(
            p->description, DESCRIPTION_INPUT_POINTER, &input, sizeof input);
    if (status) return status;
    return cublasLtMatmul(
        handle, p->description, &alpha, (const void *)a, p->a, (const void *)b, p->b, &beta,
        (const void *)d, p->d, (void *)d, p->d, &p->best.algo, (void *)workspace, workspace_size,
        stream);
}
