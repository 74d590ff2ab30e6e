// Communication between GPUs by NCCL. SPDX-License-Identifier: Apache-2.0
#include "ccuda_internal.h"
#include <string.h>

#define CCUDA_NCCL_CALL(symbol, ...) CCUDA_REQUIRE(CCUDA_NCCL, symbol, int, __VA_ARGS__)

enum { NCCL_UINT8 = 1, NCCL_FLOAT32 = 7, NCCL_AVERAGE = 4 };

typedef struct { char bytes[CCUDA_NCCL_ID_SIZE]; } unique_id;

int ccuda_nccl_version(int *version) {
    CCUDA_NCCL_CALL(ncclGetVersion, int *);
    return ncclGetVersion(version);
}

int ccuda_nccl_unique_id(uint8_t id[CCUDA_NCCL_ID_SIZE]) {
    CCUDA_NCCL_CALL(ncclGetUniqueId, unique_id *);
    unique_id found;
    int status = ncclGetUniqueId(&found);
    if (!status) memcpy(id, found.bytes, sizeof found.bytes);
    return status;
}

int ccuda_nccl_create(
    void **communicator, int size, const uint8_t id[CCUDA_NCCL_ID_SIZE], int rank) {
    CCUDA_NCCL_CALL(ncclCommInitRank, void **, int, unique_id, int);
    unique_id value;
    memcpy(value.bytes, id, sizeof value.bytes);
    return ncclCommInitRank(communicator, size, value, rank);
}

int ccuda_nccl_destroy(void *communicator) {
    CCUDA_NCCL_CALL(ncclCommDestroy, void *);
    return ncclCommDestroy(communicator);
}

int ccuda_nccl_average(
    uint64_t from, uint64_t to, size_t count, void *communicator, void *stream) {
    CCUDA_NCCL_CALL(
        ncclAllReduce, const void *, void *, size_t, int, int, void *, void *);
    return ncclAllReduce(
        (const void *)from, (void *)to, count, NCCL_FLOAT32, NCCL_AVERAGE, communicator, stream);
}

int ccuda_nccl_broadcast(
    uint64_t address, size_t bytes, int root, void *communicator, void *stream) {
    CCUDA_NCCL_CALL(
        ncclBroadcast, const void *, void *, size_t, int, int, void *, void *);
    return ncclBroadcast(
        (const void *)address, (void *)address, bytes, NCCL_UINT8, root, communicator, stream);
}

int ccuda_nccl_gather(
    uint64_t from, uint64_t to, size_t bytes, void *communicator, void *stream) {
    CCUDA_NCCL_CALL(ncclAllGather, const void *, void *, size_t, int, void *, void *);
    return ncclAllGather(
        (const void *)from, (void *)to, bytes, NCCL_UINT8, communicator, stream);
}

int ccuda_nccl_group_start(void) {
    CCUDA_NCCL_CALL(ncclGroupStart, void);
    return ncclGroupStart();
}

int ccuda_nccl_group_end(void) {
    CCUDA_NCCL_CALL(ncclGroupEnd, void);
    return ncclGroupEnd();
}

const char *ccuda_nccl_error_text(int status) {
    const char *(*text)(int);
    *(void **)(&text) = ccuda_symbol(CCUDA_NCCL, "ncclGetErrorString");
    return text && status != CCUDA_ABSENT ? text(status) : "NCCL is not installed";
}
