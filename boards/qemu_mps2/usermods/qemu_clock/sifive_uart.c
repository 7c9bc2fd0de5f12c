// UART0 of sifive_u, which ports/qemu does not know (SiFive FU540-C000 manual, chapter 13).
#include <stddef.h>
#include <stdint.h>
#include "uart.h"

#define UART0 ((volatile uint32_t *)0x10010000)
#define TXDATA (0)
#define RXDATA (1)
#define TXCTRL (2)
#define RXCTRL (3)
#define NOT_NOW (0x80000000u) // TXDATA: full; RXDATA: empty
#define ENABLE (1)

void uart_init(void) {
    UART0[TXCTRL] = ENABLE;
    UART0[RXCTRL] = ENABLE;
}

int uart_rx_chr(void) {
    uint32_t word = UART0[RXDATA];
    return word & NOT_NOW ? UART_RX_NO_CHAR : (int)(word & 0xff);
}

void uart_tx_strn(const char *text, size_t length) {
    for (size_t i = 0; i < length; i++) {
        while (UART0[TXDATA] & NOT_NOW) {
        }
        UART0[TXDATA] = (uint8_t)text[i];
    }
}
