// Freeing what the codecs made. SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>
#include <string.h>

#include "cc_internal.h"

void cc_fail(char *error, const char *message) {
    size_t length = strlen(message);
    if (length >= CC_ERROR_SIZE) length = CC_ERROR_SIZE - 1;
    memcpy(error, message, length);
    error[length] = 0;
}

void cc_picture_free(cc_picture *picture) {
    free(picture->pixels);
    picture->pixels = NULL;
}

void cc_texts_free(cc_texts *texts) {
    for (size_t i = 0; i < texts->count; i++) {
        free(texts->items[i].key);
        free(texts->items[i].value);
    }
    free(texts->items);
    texts->items = NULL;
    texts->count = 0;
}

void cc_buffer_free(cc_buffer *buffer) {
    free(buffer->bytes);
    buffer->bytes = NULL;
    buffer->count = 0;
}
